// CanonicalJson of question.h: RFC 8259, taken apart and put together again in one buffer.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cache/question.h"

namespace apiquota::cache {
namespace {

constexpr int kDepthMax = 64;

class Writer {
 public:
  explicit Writer(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::optional<std::string> Whole() {
    if (!Value(0)) return std::nullopt;
    SkipBlank();
    if (at_ != text_.size()) return std::nullopt;
    return std::move(out_);
  }

 private:
  // A member as it stands in out_, "key":value; the key with its quotes.
  struct Member {
    size_t at, key_size, size;
  };

  void SkipBlank() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    SkipBlank();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    out_.push_back(c);
    return true;
  }

  bool Value(int depth) {
    SkipBlank();
    switch (Next()) {
      case '{':
        return depth < kDepthMax && Object(depth + 1);
      case '[':
        return depth < kDepthMax && Array(depth + 1);
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Number();
    }
  }

  bool Literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    out_.append(word);
    return true;
  }

  bool String() {
    const size_t from = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    out_.append(text_.substr(from, at_ - from));
    return true;
  }

  size_t Digits() {
    const size_t from = at_;
    while (Next() >= '0' && Next() <= '9') ++at_;
    return at_ - from;
  }

  bool Number() {
    const size_t from = at_;
    if (Next() == '-') ++at_;
    const bool zero = Next() == '0';
    const size_t whole = Digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (Next() == '.') {
      ++at_;
      if (Digits() == 0) return false;
    }
    if (Next() == 'e' || Next() == 'E') {
      ++at_;
      if (Next() == '+' || Next() == '-') ++at_;
      if (Digits() == 0) return false;
    }
    out_.append(text_.substr(from, at_ - from));
    return true;
  }

  bool Array(int depth) {
    Take('[');
    if (Take(']')) return true;
    do {
      if (!Value(depth)) return false;
    } while (Take(','));
    return Take(']');
  }

  bool Object(int depth) {
    Take('{');
    const size_t from = out_.size();
    if (Take('}')) return true;
    std::vector<Member> members;
    do {
      const size_t at = out_.size();
      SkipBlank();
      if (Next() != '"' || !String()) return false;
      const size_t key_size = out_.size() - at;
      if (!Take(':') || !Value(depth)) return false;
      members.push_back({at, key_size, out_.size() - at});
    } while (Take(','));
    Sort(from, &members);
    return Take('}');
  }

  // A name may be spelled in several ways by escapes, and of two members of one name the last one counts:
  // where an escape is in a name all stay in their order. Equal spellings keep theirs.
  void Sort(size_t from, std::vector<Member>* members) {
    const auto key = [this](const Member& m) { return std::string_view(out_).substr(m.at, m.key_size); };
    const auto escaped = [&key](const Member& m) { return key(m).find('\\') != std::string_view::npos; };
    if (std::ranges::is_sorted(*members, {}, key) || std::ranges::any_of(*members, escaped)) return;
    std::ranges::stable_sort(*members, {}, key);
    std::string sorted;
    sorted.reserve(out_.size() - from);
    for (const Member& member : *members) {
      if (!sorted.empty()) sorted.push_back(',');
      sorted.append(out_, member.at, member.size);
    }
    out_.replace(from, std::string::npos, sorted);
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::optional<std::string> CanonicalJson(std::string_view text) { return Writer(text).Whole(); }

}  // namespace apiquota::cache
