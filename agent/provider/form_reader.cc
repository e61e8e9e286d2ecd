#include "provider/form_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace apiquota::provider {
namespace {

constexpr size_t kValueBytesMax = 1024;
constexpr std::string_view kLineEnd = "\r\n";
constexpr size_t kHeadersBytesMax = 8 * 1024;
constexpr size_t kBoundaryBytesMax = 70;  // RFC 2046 5.1.1

// The value of a parameter, a token or a quoted string, of a header such as
// `form-data; name="model"` (RFC 9110 5.6.6).
std::string Parameter(std::string_view header, std::string_view name) {
  size_t at = header.find(';');
  while (at != std::string_view::npos) {
    header = Trim(header.substr(at + 1));
    const size_t equals = header.find('=');
    if (equals == std::string_view::npos) return "";
    const bool found = EqualsIgnoreCase(Trim(header.substr(0, equals)), name);
    header = Trim(header.substr(equals + 1));
    std::string value;
    size_t end = 0;
    if (header.starts_with('"')) {
      for (end = 1; end < header.size() && header[end] != '"'; ++end) {
        if (header[end] == '\\' && end + 1 < header.size()) ++end;
        value.push_back(header[end]);
      }
    } else {
      end = std::min(header.find(';'), header.size());
      value = Trim(header.substr(0, end));
    }
    if (found) return value;
    at = header.find(';', end);
  }
  return "";
}

// Of the field that a part's headers, whole lines, describe; a file is none.
std::string FieldName(std::string_view headers) {
  for (const std::string_view line : Split(headers, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!EqualsIgnoreCase(Trim(line.substr(0, colon)), "content-disposition")) continue;
    const std::string_view value = line.substr(colon + 1);
    const std::string_view field = Trim(value.substr(0, value.find('\r')));
    return Parameter(field, "filename").empty() ? Parameter(field, "name") : "";
  }
  return "";
}

}  // namespace

std::string BoundaryOf(std::string_view content_type) {
  if (!StartsWithIgnoreCase(content_type, "multipart/form-data")) return "";
  std::string boundary = Parameter(content_type, "boundary");
  return boundary.size() <= kBoundaryBytesMax ? boundary : "";
}

FormReader::FormReader(const PointerSet& pointers, std::string_view boundary)
    : delimiter_("\r\n--" + std::string(boundary)) {
  for (size_t i = 0; i < pointers.size(); ++i) {
    const std::string& pointer = pointers[i].text;
    if (pointer.starts_with('/') && pointer.find('/', 1) == std::string::npos) wanted_.push_back(pointer);
  }
}

void FormReader::Write(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end && !Done() && !Failed()) {
    switch (state_) {
      case State::kPart:
        at = TakePart(at, end);
        break;
      case State::kBehindDelimiter:
        TakeBehindDelimiter(*at++);
        break;
      case State::kHeaders:
        TakeHeaders(*at++);
        break;
      case State::kOver:
      case State::kFailed:
        return;
    }
  }
}

const char* FormReader::TakePart(const char* at, const char* end) {
  const bool kept = !part_.empty();
  if (matched_ == 0) {
    const auto left = static_cast<size_t>(end - at);
    const void* found = std::memchr(at, '\r', left);
    const char* const stop = found == nullptr ? end : static_cast<const char*>(found);
    if (kept) text_.append(at, stop);
    at = stop;
  }
  while (at != end && matched_ < delimiter_.size()) {
    const char c = *at;
    if (c != delimiter_[matched_] && matched_ != 0 && c != '\r') {
      matched_ = 0;
      break;  // from here on it is text again
    }
    matched_ = c == delimiter_[matched_] ? matched_ + 1 : (c == '\r' ? 1 : 0);
    if (kept) text_.push_back(c);
    ++at;
    if (matched_ == 0) break;
  }
  if (kept && text_.size() > kValueBytesMax + delimiter_.size()) state_ = State::kFailed;
  if (matched_ == delimiter_.size() && !Failed()) EndDelimiter();
  return at;
}

void FormReader::EndDelimiter() {
  if (!part_.empty()) {
    text_.resize(text_.size() - delimiter_.size());
    text_.erase(0, kLineEnd.size());  // BeginPart's, unless that was the delimiter's
    std::erase(wanted_, part_);
    values_.push_back({std::exchange(part_, {}), std::move(text_)});
  }
  text_.clear();
  matched_ = 0;
  state_ = State::kBehindDelimiter;
}

// "--" ends the form; blanks may stand before the line's end.
void FormReader::TakeBehindDelimiter(char c) {
  text_.push_back(c);
  if (text_ == "--") {
    state_ = State::kOver;
  } else if (c == '\n') {
    text_.clear();
    state_ = State::kHeaders;
  } else if (text_.size() > kBoundaryBytesMax) {
    state_ = State::kFailed;
  }
}

void FormReader::TakeHeaders(char c) {
  text_.push_back(c);
  if (text_ == "\r\n" || text_.ends_with("\r\n\r\n")) {
    BeginPart();
  } else if (text_.size() > kHeadersBytesMax) {
    state_ = State::kFailed;
  }
}

void FormReader::BeginPart() {
  const std::string pointer = "/" + FieldName(text_);
  part_ = std::ranges::find(wanted_, pointer) != wanted_.end() ? pointer : "";
  text_.clear();
  // An empty value's delimiter begins with the CRLF that ended the headers.
  matched_ = kLineEnd.size();
  if (!part_.empty()) text_ = kLineEnd;
  state_ = State::kPart;
}

std::vector<http::BodyValue> FormReader::TakeValues() { return std::exchange(values_, {}); }

}  // namespace apiquota::provider
