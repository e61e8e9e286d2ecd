// Reads what an exporter's rules ask of one request's body (the model's name) while it passes: JSON, or the
// fields of a form, with content codings undone. Constant memory; the relayed bytes are never touched or
// waited for. Not thread-safe.
#pragma once

#include <cstddef>
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

namespace apiquota::provider {

class RequestReader final : private http::ByteSink {
 public:
  // Of a body that is encoded: what it decodes to. One that is not is read for as long as it comes, since a
  // name may stand behind a large file; that costs less than relaying it.
  static constexpr size_t kDecodedBytesMax = 64 * 1024 * 1024;

  // Of the request with these fields; `pointers` are the wanted ones, and must outlive it.
  RequestReader(const PointerSet& pointers, const http::Fields& fields);

  void Write(std::string_view bytes);

  bool Done() const { return over_; }      // nothing more can be learnt
  bool Failed() const { return failed_; }  // it should have been readable, by its type, and was not

  std::vector<http::BodyValue> TakeValues();

 private:
  bool Put(std::string_view bytes) override;
  void GiveUp();

  std::variant<BodyScanner, FormReader> reader_;
  std::optional<http::ContentDecoder> decoder_;
  bool readable_ = true;  // by its type
  bool over_ = false;
  bool failed_ = false;
};

}  // namespace apiquota::provider
