// Reads the script of a session run: session_script.md. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace apiquota::fuzz {

class Script {
 public:
  explicit Script(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  char Take() {
    if (text_.empty()) return '0';
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  size_t Number() {
    const char c = Take();
    if (c >= '0' && c <= '9') return static_cast<size_t>(c - '0');
    if (c >= 'a' && c <= 'z') return static_cast<size_t>(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z') return static_cast<size_t>(c - 'A') + 36;
    return static_cast<unsigned char>(c) % 62;
  }
  // Up to the closing quote. Nobody may write a mark.
  std::string Quoted() {
    if (text_.starts_with('"')) text_.remove_prefix(1);
    const size_t end = std::min(text_.find('"'), text_.size());
    std::string out(text_.substr(0, end));
    text_.remove_prefix(std::min(end + 1, text_.size()));
    std::ranges::replace(out, '~', '-');
    return out;
  }
  bool Skip(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void SkipLine() { text_.remove_prefix(std::min(text_.find('\n'), text_.size())); }

 private:
  std::string_view text_;
};

inline size_t Power(size_t n) { return size_t{1} << 2 * std::min<size_t>(n, 12); }

}  // namespace apiquota::fuzz
