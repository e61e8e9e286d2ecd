// Reads what an exporter's rules ask of one request's body (the model's name) while it passes: JSON, or the
// fields of a form, with content codings undone. Constant memory; the relayed bytes are never touched or
// waited for. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "http/content_decoder.h"
#include "http/exchange.h"
#include "http/fields.h"
#include "provider/body_scan.h"
#include "provider/form_reader.h"
#include "provider/pointer_set.h"
#include "provider/request_meter.h"

namespace apiquota::provider {

class RequestReader final : private http::ByteSink {
 public:
  // Of a body that is encoded: what it decodes to. One that is not is read for as long as it comes, since a
  // name may stand behind a large file; that costs less than relaying it.
  static constexpr size_t kDecodedBytesMax = 64 * 1024 * 1024;

  // Whether the body is measured, too, by its decoded bytes (those that can't be decoded, as they are).
  enum class Measure : uint8_t { kNo, kYes };

  // Of the request with these fields; `pointers` are the wanted ones, and must outlive it.
  RequestReader(const PointerSet& pointers, const http::Fields& fields, Measure measure = Measure::kNo);

  void Write(std::string_view bytes);

  bool Done() const { return over_; }        // nothing more can be learnt; never of a body that is measured
  bool Scanned() const { return scanned_; }  // no more values will come
  bool Failed() const { return failed_; }    // it should have been readable, by its type, and was not

  // Those that came since they were taken last.
  std::vector<http::BodyValue> TakeValues();

  // Of what has come; nothing if it is not measured.
  BodySize size() const { return meter_ ? meter_->size() : BodySize(); }

 private:
  bool Put(std::string_view bytes) override;
  void EndScan();
  void GiveUp();

  std::variant<BodyScanner, FormReader> reader_;
  std::optional<http::ContentDecoder> decoder_;
  uint64_t encoded_bytes_ = 0;
  std::optional<RequestMeter> meter_;
  bool readable_ = true;  // by its type
  bool scanned_ = false;
  bool over_ = false;
  bool failed_ = false;
};

}  // namespace apiquota::provider
