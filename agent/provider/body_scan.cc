#include "provider/body_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <utility>

#include "provider/json_reader.h"

namespace apiquota::provider {
namespace {

constexpr size_t kAllTextBytesMax = 32 * 1024;
constexpr size_t kValuesPerPointerMax = 64;

// Follows which pointers still fit the place the reader is at, as one bit per pointer and level.
class PointerSink {
 public:
  PointerSink(const PointerSet& pointers, uint64_t wanted)
      : pointers_(pointers),
        all_wanted_(wanted & pointers.all()),
        star_texts_(StarCount(pointers.stars() & all_wanted_)) {
    Restart();
  }

  void Restart() {
    levels_.clear();
    values_.clear();
    text_bytes_ = 0;
    wanted_ = here_ = all_wanted_;
    too_much_ = false;
  }

  bool AllFound() const { return wanted_ == 0; }
  bool too_much() const { return too_much_; }
  bool has_values() const { return !values_.empty(); }
  std::vector<http::BodyValue> TakeValues() { return std::exchange(values_, {}); }

  bool OnOpen(bool array) {
    BeforeValue();
    if (here_ == 0) return false;
    levels_.push_back({here_, 0, array});
    return true;
  }
  void OnClose() { levels_.pop_back(); }
  bool WantsKey() const { return levels_.back().fitting != 0; }
  void OnKey(std::optional<std::string_view> key) { here_ = key ? Fitting(*key) : 0; }
  bool WantsScalar() {
    BeforeValue();
    ending_ = here_ & wanted_ & pointers_.At(levels_.size()).ending;
    return ending_ != 0;
  }
  // False: there is nothing left to find, or no room for it.
  bool OnScalar(std::optional<std::string_view> text, bool null) {
    if (ending_ == 0) return true;
    for (uint64_t bits = null ? 0 : ending_; bits != 0; bits &= bits - 1) {
      if (!Keep(static_cast<size_t>(std::countr_zero(bits)), *text)) return false;
    }
    wanted_ &= ~(ending_ & ~pointers_.stars());
    return wanted_ != 0;
  }

 private:
  struct Level {
    uint64_t fitting = 0;  // pointers whose tokens fit the path down to this container
    uint32_t index = 0;    // of the array's next element
    bool array = false;
  };

  // Array elements have no key: their index is the token.
  void BeforeValue() {
    if (levels_.empty() || !levels_.back().array) return;
    here_ = levels_.back().fitting == 0 ? 0 : Fitting(std::to_string(levels_.back().index));
    ++levels_.back().index;
  }

  // As many as the index of the last one demands.
  static size_t StarCount(uint64_t pointers) {
    return pointers == 0 ? 0 : static_cast<size_t>(64 - std::countl_zero(pointers));
  }

  // The pointers that go on with `token` here.
  uint64_t Fitting(std::string_view token) {
    const uint64_t fitting = levels_.back().fitting;
    const PointerSet::Level& level = pointers_.At(levels_.size() - 1);
    for (uint64_t bits = fitting & level.stars; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(bits));
      const std::vector<size_t>& stars = pointers_[i].stars;
      const auto star = std::ranges::find(stars, levels_.size() - 1);
      star_texts_[i].at(static_cast<size_t>(star - stars.begin())) = token;
    }
    for (const PointerSet::Level::Token& known : level.tokens) {
      if ((known.pointers & fitting) != 0 && known.text == token)
        return fitting & (known.pointers | level.stars);
    }
    return fitting & level.stars;
  }

  bool Keep(size_t pointer, std::string_view text) {
    const std::string& name = pointers_[pointer].text;
    http::BodyValue found{name, std::string(text), {}};
    if (const size_t stars = pointers_[pointer].stars.size(); stars > 0) {
      const auto texts = star_texts_[pointer].begin();
      found.stars.assign(texts, texts + static_cast<ptrdiff_t>(stars));
    }
    text_bytes_ += TextBytes(found);
    too_much_ = text_bytes_ > kAllTextBytesMax;
    if (too_much_) return false;
    http::BodyValue* last = found.stars.empty() ? nullptr : LastOfMany(name);
    if (last == nullptr) {
      if (values_.empty()) values_.reserve(4);
      values_.push_back(std::move(found));
    } else {
      text_bytes_ -= TextBytes(*last);
      *last = std::move(found);
    }
    return true;
  }

  // The last value of a pointer that has as many as it may.
  http::BodyValue* LastOfMany(std::string_view pointer) {
    size_t count = 0;
    for (http::BodyValue& value : values_) {
      if (value.pointer == pointer && ++count == kValuesPerPointerMax) return &value;
    }
    return nullptr;
  }

  static size_t TextBytes(const http::BodyValue& value) {
    size_t bytes = value.value.size();
    for (const std::string& star : value.stars) bytes += star.size();
    return bytes;
  }

  const PointerSet& pointers_;
  uint64_t all_wanted_;
  // What the stars of each pointer stand for on the way to here.
  std::vector<std::array<std::string, PointerSet::kStarsMax>> star_texts_;
  boost::container::small_vector<Level, 8> levels_;
  std::vector<http::BodyValue> values_;
  size_t text_bytes_ = 0;  // of all values
  uint64_t wanted_ = 0;    // pointers that may still get a value
  uint64_t here_ = 0;      // pointers whose tokens fit the path to the value that comes
  uint64_t ending_ = 0;    // … and end at the scalar that comes
  bool too_much_ = false;
};

}  // namespace

struct BodyScanner::Impl {
  explicit Impl(const PointerSet& set, uint64_t wanted) : sink(set, wanted) {}
  explicit Impl(PointerSet set) : own(std::move(set)), sink(own, own.all()) {}

  // A byte order mark may stand in front of a document (RFC 8259 8.1). The rest of `bytes`.
  std::string_view BehindMark(std::string_view bytes) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    while (mark_due && !bytes.empty()) {
      mark_due = bytes.front() == kByteOrderMark[mark_bytes];
      if (!mark_due) {
        reader.Write(kByteOrderMark.substr(0, mark_bytes));  // a part of one is no JSON
        break;
      }
      bytes.remove_prefix(1);
      mark_due = ++mark_bytes < kByteOrderMark.size();
    }
    return bytes;
  }

  PointerSet own;
  PointerSink sink;
  JsonReader<PointerSink> reader{sink};
  bool mark_due = true;   // it may still come, or go on
  size_t mark_bytes = 0;  // … of which so many have come
};

BodyScanner::BodyScanner(const PointerSet& set, uint64_t wanted)
    : impl_(std::make_unique<Impl>(set, wanted)) {}
BodyScanner::BodyScanner(const std::vector<std::string>& pointers)
    : impl_(std::make_unique<Impl>(PointerSet(pointers))) {}
BodyScanner::~BodyScanner() = default;
BodyScanner::BodyScanner(BodyScanner&&) noexcept = default;
BodyScanner& BodyScanner::operator=(BodyScanner&&) noexcept = default;

void BodyScanner::Write(std::string_view bytes) {
  if (Done() || Failed()) return;
  if (impl_->mark_due) bytes = impl_->BehindMark(bytes);
  impl_->reader.Write(bytes);
}

void BodyScanner::Restart() {
  impl_->reader.Reset();
  impl_->sink.Restart();
  impl_->mark_due = true;
  impl_->mark_bytes = 0;
}

bool BodyScanner::Done() const {
  return impl_->sink.AllFound() || (impl_->reader.done() && !impl_->sink.too_much());
}
bool BodyScanner::Failed() const { return impl_->reader.failed() || impl_->sink.too_much(); }
bool BodyScanner::HasValues() const { return impl_->sink.has_values(); }
std::vector<http::BodyValue> BodyScanner::TakeValues() { return impl_->sink.TakeValues(); }

}  // namespace apiquota::provider
