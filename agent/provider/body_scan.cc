#include "provider/body_scan.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

// The library is used header-only: this is the one translation unit that holds its code.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

namespace apiquota::provider {
namespace {

namespace json = boost::json;

constexpr size_t kDepthMax = 64;
constexpr size_t kTextBytesMax = 1024;
constexpr size_t kAllTextBytesMax = 32 * 1024;
constexpr size_t kValuesPerPointerMax = 64;

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

  Handler(const PointerSet& pointers, uint64_t wanted)
      : pointers_(pointers), all_wanted_(wanted & pointers.all()), star_texts_(StarCount(pointers)) {
    Restart();
  }

  void Restart() {
    levels_.clear();
    values_.clear();
    text_.clear();
    text_bytes_ = 0;
    wanted_ = here_ = all_wanted_;
    at_element_ = overlong_ = too_much_ = false;
  }

  bool AllFound() const { return wanted_ == 0; }
  bool too_much() const { return too_much_; }
  bool has_values() const { return !values_.empty(); }
  std::vector<http::BodyValue> TakeValues() { return std::exchange(values_, {}); }

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

  static size_t StarCount(const PointerSet& pointers) {
    return pointers.stars() == 0 ? 0 : static_cast<size_t>(64 - std::countl_zero(pointers.stars()));
  }

  uint64_t Fitting(std::string_view token) {
    uint64_t fitting = levels_.back().fitting;
    const size_t depth = levels_.size() - 1;
    if (overlong_) return 0;
    for (uint64_t bits = fitting; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(bits));
      const PointerSet::Pointer& pointer = pointers_[i];
      if (pointer.star == depth) {
        star_texts_[i] = token;
      } else if (depth >= pointer.tokens.size() || pointer.tokens[depth] != token) {
        fitting &= ~(uint64_t{1} << i);
      }
    }
    return fitting;
  }

  // The pointers that end exactly here.
  uint64_t Ending() const {
    uint64_t ending = here_ & wanted_;
    for (uint64_t bits = ending; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(bits));
      if (pointers_[i].tokens.size() != levels_.size()) ending &= ~(uint64_t{1} << i);
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
    too_much_ = overlong_;
    return !too_much_;
  }

  bool Scalar(bool null) {
    if (!at_element_) BeforeValue();
    at_element_ = false;
    const uint64_t ending = Ending();
    for (uint64_t bits = null ? 0 : ending; bits != 0; bits &= bits - 1) {
      if (!Keep(static_cast<size_t>(std::countr_zero(bits)))) return false;
    }
    wanted_ &= ~(ending & ~pointers_.stars());
    text_.clear();
    overlong_ = false;
    return wanted_ != 0;  // false stops the parser: there is nothing left to find
  }

  bool Keep(size_t pointer) {
    const std::string& name = pointers_[pointer].text;
    text_bytes_ += text_.size();
    too_much_ = text_bytes_ > kAllTextBytesMax;
    if (too_much_) return false;
    if (!pointers_[pointer].star) {
      values_.push_back({name, text_});
      return true;
    }
    size_t count = 0;
    for (http::BodyValue& value : values_) {
      if (value.pointer != name || ++count < kValuesPerPointerMax) continue;
      text_bytes_ -= value.value.size();
      value.value = text_;
      value.star = star_texts_[pointer];
      return true;
    }
    values_.push_back({name, text_, star_texts_[pointer]});
    return true;
  }

  const PointerSet& pointers_;
  uint64_t all_wanted_;
  std::vector<std::string> star_texts_;  // what each pointer's star stands for on the way to here
  std::vector<Level> levels_;
  std::vector<http::BodyValue> values_;
  std::string text_;         // of the key or wanted scalar under way
  size_t text_bytes_ = 0;    // of all values
  uint64_t wanted_ = 0;      // pointers that may still get a value
  uint64_t here_ = 0;        // pointers whose tokens fit the path to the value that comes
  bool at_element_ = false;  // inside a scalar that comes in parts
  bool overlong_ = false;
  bool too_much_ = false;
};

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = kDepthMax;
  return options;
}

}  // namespace

struct BodyScanner::Impl {
  explicit Impl(const PointerSet& set, uint64_t wanted) : parser(Options(), set, wanted) { Begin(); }
  explicit Impl(PointerSet set) : own(std::move(set)), parser(Options(), own, own.all()) { Begin(); }

  void Begin() {
    over = parser.handler().AllFound();
    failed = false;
  }

  PointerSet own;
  json::basic_parser<Handler> parser;
  bool failed = false;
  bool over = false;
};

BodyScanner::BodyScanner(const PointerSet& set, uint64_t wanted)
    : impl_(std::make_unique<Impl>(set, wanted)) {}
BodyScanner::BodyScanner(const std::vector<std::string>& pointers)
    : impl_(std::make_unique<Impl>(PointerSet(pointers))) {}
BodyScanner::~BodyScanner() = default;
BodyScanner::BodyScanner(BodyScanner&&) noexcept = default;
BodyScanner& BodyScanner::operator=(BodyScanner&&) noexcept = default;

void BodyScanner::Write(std::string_view bytes) {
  if (Done() || Failed() || bytes.empty()) return;
  json::error_code error;
  impl_->parser.write_some(true, bytes.data(), bytes.size(), error);
  const Handler& handler = impl_->parser.handler();
  impl_->over = handler.AllFound() || impl_->parser.done();
  impl_->failed = !impl_->over && (error.failed() || handler.too_much());
}

void BodyScanner::Restart() {
  impl_->parser.reset();
  impl_->parser.handler().Restart();
  impl_->Begin();
}

bool BodyScanner::Done() const { return impl_->over; }
bool BodyScanner::Failed() const { return impl_->failed; }
bool BodyScanner::HasValues() const { return impl_->parser.handler().has_values(); }
std::vector<http::BodyValue> BodyScanner::TakeValues() { return impl_->parser.handler().TakeValues(); }

}  // namespace apiquota::provider
