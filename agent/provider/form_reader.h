// Reads a few fields of a multipart/form-data body (RFC 7578, RFC 2046 5.1.1) that streams past, in constant
// memory: what is between the delimiters of other parts, files of any size, is stepped over. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "provider/pointer_set.h"

namespace apiquota::provider {

class FormReader {
 public:
  // `pointers`: "/model" asks for the field "model"; those of more than one segment for none. `boundary` as
  // BoundaryOf has it.
  FormReader(const PointerSet& pointers, std::string_view boundary);

  void Write(std::string_view bytes);

  bool Done() const { return state_ == State::kOver || wanted_.empty(); }
  bool Failed() const { return state_ == State::kFailed; }  // no form, or a field is longer than 1 KiB
  std::vector<http::BodyValue> TakeValues();

 private:
  enum class State : uint8_t { kPart, kBehindDelimiter, kHeaders, kOver, kFailed };

  const char* TakePart(const char* at, const char* end);
  void TakeBehindDelimiter(char c);
  void TakeHeaders(char c);
  void EndDelimiter();
  void BeginPart();

  std::vector<std::string> wanted_;  // pointers of fields that have not come
  std::string delimiter_;            // CRLF "--" boundary
  State state_ = State::kPart;
  size_t matched_ = 2;  // of the delimiter; the first stands at the beginning of a line that no CRLF ends
  std::string part_;    // the pointer of the field under way; empty: of no interest
  std::string text_;    // its value, with what is matched of a delimiter; or a part's headers
  std::vector<http::BodyValue> values_;
};

// The boundary of a Content-Type "multipart/form-data; boundary=…"; empty if it is no such type.
std::string BoundaryOf(std::string_view content_type);

}  // namespace apiquota::provider
