// Reads what an exporter's rules ask of one response's body while it passes: undoes its content coding, then
// looks for a few JSON pointers, in the document or in each event of a stream. Constant memory; the relayed
// bytes are never touched; what does not fit is given up, never waited for. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/content_decoder.h"
#include "http/exchange.h"
#include "provider/body_scan.h"
#include "provider/event_stream.h"
#include "provider/exporter.h"

namespace apiquota::provider {

class BodyReader final : private http::ByteSink, private EventStreamHandler {
 public:
  // Of a JSON document, decoded. Usage stands at the end of long replies.
  static constexpr size_t kDocumentBytesMax = 8 * 1024 * 1024;

  // Reads for the response of which `exchange` holds status, path and fields. The exporter must outlive it.
  // Nothing if no rule asks for this body. `decoded`: whatever Content-Encoding says has been undone already.
  static std::optional<BodyReader> For(const Exporter& exporter, const http::Exchange& exchange,
                                       bool decoded = false);

  void Write(std::string_view bytes);

  // Events: what they say comes over minutes. Where the type does not say so, known with the first bytes.
  bool stream() const { return stream_.has_value(); }
  bool Done() const { return over_; }  // nothing more can be learnt
  // What was to be read could not be: corrupt, too large, an unknown coding, no JSON where the type says so.
  bool Failed() const { return failed_; }

  // Moves what was found into `exchange`: once, at the end.
  void TakeInto(http::Exchange* exchange);

 private:
  BodyReader(const Exporter& exporter, uint64_t pointers, uint64_t of_events);
  bool PutJudged(std::string_view bytes);
  void Decode(const http::Fields& fields);
  bool Put(std::string_view bytes) override;
  void OnData(std::string_view piece) override;
  void OnEventEnd() override;
  void KeepForTheEnd(std::vector<http::BodyValue> values);
  void GiveUp();

  const Exporter* exporter_;
  uint64_t of_events_;  // pointers to look for in events
  BodyScanner scanner_;
  bool judged_ = false;    // whether these are events, whatever the type says
  std::string beginning_;  // … while too little has come to tell
  std::optional<http::ContentDecoder> decoder_;
  std::optional<EventStream> stream_;
  size_t decoded_bytes_ = 0;
  bool json_expected_ = true;            // by the Content-Type: what is not JSON then is a failure
  std::optional<bool> event_is_object_;  // once its first byte has come; others ("[DONE]") say nothing
  bool over_ = false;
  bool failed_ = false;
  std::vector<http::BodyValue> kept_;   // of a stream's usage and quotas
  std::vector<http::BodyValue> event_;  // the first that speaks of a throttle
};

}  // namespace apiquota::provider
