#include "provider/body_scan.h"

#include <algorithm>
#include <bit>
#include <cstdint>

// The library is used header-only: this is the one translation unit that holds its code.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

#include "base/text.h"

namespace apiquota::provider {
namespace {

namespace json = boost::json;

constexpr size_t kDepthMax = 64;
constexpr size_t kPointersMax = 64;  // one bit each
constexpr size_t kTextBytesMax = 1024;
constexpr size_t kPointerTokensMax = 16;

// RFC 6901 3: "/a~1b/0" → "a/b", "0".
std::vector<std::string> PointerTokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  for (const std::string_view part : Split(pointer.substr(1), '/')) {
    std::string token;
    for (size_t i = 0; i < part.size(); ++i) {
      const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
      token.push_back(!escape ? part[i] : part[i + 1] == '0' ? '~' : '/');
      if (escape) ++i;
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// The parser's handler: follows which pointers still fit the place it is at, as one bit per pointer and
// level.
class Handler {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  using error_code = json::error_code;
  using string_view = json::string_view;

  explicit Handler(const std::vector<std::string>& pointers) : pointers_(&pointers) {
    for (size_t i = 0; i < std::min(pointers.size(), kPointersMax); ++i) {
      tokens_.push_back(PointerTokens(pointers[i]));
      if (tokens_.back().size() <= kPointerTokensMax) wanted_ |= uint64_t{1} << i;
    }
    here_ = wanted_;
  }

  bool AllFound() const { return wanted_ == 0; }
  bool too_long() const { return too_long_; }
  std::vector<http::BodyValue> TakeValues() { return std::move(values_); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return Enter(false); }
  bool on_object_end(size_t, error_code&) { return Leave(); }
  bool on_array_begin(error_code&) { return Enter(true); }
  bool on_array_end(size_t, error_code&) { return Leave(); }
  bool on_key_part(string_view part, size_t, error_code&) { return Append(part, true); }
  bool on_key(string_view part, size_t, error_code&) {
    Append(part, true);
    here_ = Fitting(text_);
    text_.clear();
    overlong_ = false;
    return true;
  }
  bool on_string_part(string_view part, size_t, error_code& error) { return Part(part, &error); }
  bool on_string(string_view part, size_t, error_code& error) { return Last(part, &error); }
  bool on_number_part(string_view part, error_code& error) { return Part(part, &error); }
  bool on_int64(int64_t, string_view part, error_code& error) { return Last(part, &error); }
  bool on_uint64(uint64_t, string_view part, error_code& error) { return Last(part, &error); }
  bool on_double(double, string_view part, error_code& error) { return Last(part, &error); }
  bool on_bool(bool value, error_code& error) { return Last(value ? "true" : "false", &error); }
  bool on_null(error_code& error) { return Scalar(true) || Stop(&error); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  // Ends the parse: whatever the reason, the state says which.
  static bool Stop(error_code* error) {
    *error = json::error::exception;
    return false;
  }
  bool Part(string_view part, error_code* error) { return AppendValue(part) || Stop(error); }
  bool Last(string_view part, error_code* error) {
    return (AppendValue(part) && Scalar(false)) || Stop(error);
  }

  struct Level {
    uint64_t fitting = 0;  // pointers whose tokens fit the path down to this container
    bool array = false;
    size_t index = 0;  // of the array's next element
  };

  bool Enter(bool array) {
    BeforeValue();
    levels_.push_back({here_, array, 0});
    return true;
  }
  bool Leave() {
    levels_.pop_back();
    return true;
  }

  // Array elements have no key: their index is the token.
  void BeforeValue() {
    if (levels_.empty() || !levels_.back().array || at_element_) return;
    here_ = levels_.back().fitting == 0 ? 0 : Fitting(std::to_string(levels_.back().index));
    ++levels_.back().index;
  }

  uint64_t Fitting(std::string_view token) const {
    uint64_t fitting = levels_.back().fitting;
    const size_t depth = levels_.size() - 1;
    if (overlong_) return 0;
    for (uint64_t bits = fitting; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(bits));
      if (depth >= tokens_[i].size() || tokens_[i][depth] != token) fitting &= ~(uint64_t{1} << i);
    }
    return fitting;
  }

  // The pointers that end exactly here.
  uint64_t Ending() const {
    uint64_t ending = here_ & wanted_;
    for (uint64_t bits = ending; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(bits));
      if (tokens_[i].size() != levels_.size()) ending &= ~(uint64_t{1} << i);
    }
    return ending;
  }

  bool Append(string_view part, bool key) {
    if (overlong_) return true;
    if (key && levels_.back().fitting == 0) {
      overlong_ = true;  // nothing below is wanted: no key needs remembering
      return true;
    }
    overlong_ = text_.size() + part.size() > kTextBytesMax;
    if (!overlong_) text_.append(part.data(), part.size());
    return true;
  }

  bool AppendValue(string_view part) {
    if (!at_element_) BeforeValue();
    at_element_ = true;
    if (Ending() == 0) return true;
    Append(part, false);
    too_long_ = overlong_;
    return !too_long_;
  }

  bool Scalar(bool null) {
    if (!at_element_) BeforeValue();
    at_element_ = false;
    const uint64_t ending = Ending();
    for (uint64_t bits = null ? 0 : ending; bits != 0; bits &= bits - 1) {
      values_.push_back({(*pointers_)[static_cast<size_t>(std::countr_zero(bits))], text_});
    }
    wanted_ &= ~ending;
    text_.clear();
    overlong_ = false;
    return wanted_ != 0;  // false stops the parser: there is nothing left to find
  }

  const std::vector<std::string>* pointers_;
  std::vector<std::vector<std::string>> tokens_;
  std::vector<Level> levels_;
  std::vector<http::BodyValue> values_;
  std::string text_;         // of the key or wanted scalar under way
  uint64_t wanted_ = 0;      // pointers without a value yet
  uint64_t here_ = 0;        // pointers whose tokens fit the path to the value that comes
  bool at_element_ = false;  // inside a scalar that comes in parts
  bool overlong_ = false;
  bool too_long_ = false;
};

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = kDepthMax;
  return options;
}

}  // namespace

struct BodyScanner::Impl {
  explicit Impl(const std::vector<std::string>& pointers) : parser(Options(), pointers) {}
  json::basic_parser<Handler> parser;
  bool failed = false;
  bool over = false;
};

BodyScanner::BodyScanner(const std::vector<std::string>& pointers) : impl_(std::make_unique<Impl>(pointers)) {
  impl_->over = impl_->parser.handler().AllFound();
}
BodyScanner::~BodyScanner() = default;
BodyScanner::BodyScanner(BodyScanner&&) noexcept = default;
BodyScanner& BodyScanner::operator=(BodyScanner&&) noexcept = default;

void BodyScanner::Write(std::string_view bytes) {
  if (Done() || Failed() || bytes.empty()) return;
  json::error_code error;
  impl_->parser.write_some(true, bytes.data(), bytes.size(), error);
  const Handler& handler = impl_->parser.handler();
  impl_->over = handler.AllFound() || impl_->parser.done();
  impl_->failed = !impl_->over && (error.failed() || handler.too_long());
}

bool BodyScanner::Done() const { return impl_->over; }
bool BodyScanner::Failed() const { return impl_->failed; }
std::vector<http::BodyValue> BodyScanner::TakeValues() { return impl_->parser.handler().TakeValues(); }

}  // namespace apiquota::provider
