// Header fields as one flat, reusable buffer: names and values as received, in order, duplicates kept.
// Copying costs two allocations whatever the number of fields; Clear() keeps the capacity for the next one,
// unless a large head took more than usual ones need. Not thread-safe to change. Views stay valid until the
// next Add, AddLines, Clear or assignment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace apiquota::http {

struct FieldView {
  std::string_view name;
  std::string_view value;
};

// Names that some servers can't tell apart: equal but for case and for '_' spelled '-'.
constexpr bool SpelledAlike(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto fold = [](char c) { return c == '_' ? '-' : AsciiLower(c); };
  for (size_t i = 0; i < a.size(); ++i) {
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

class Fields {
 public:
  void Add(std::string_view name, std::string_view value) {
    const size_t at = bytes_.size();
    bytes_.append(name).append(value);
    refs_.push_back({Narrow(at), Narrow(name.size()), Narrow(at + name.size()), Narrow(value.size()), 0});
  }

  // For a parser: keeps the bytes of a whole block of field lines and returns where they begin;
  // AddLine then says where in them a line and its parts stand. Only lines that are legal on the
  // wire may be added.
  size_t AddLines(std::string_view block) {
    const size_t at = bytes_.size();
    bytes_.append(block);
    return at;
  }
  struct LinePlaces {
    size_t at, name_size, value_at, value_size, line_size;  // the line with its CRLF
  };
  void AddLine(const LinePlaces& p) {
    // Line() is for lines that need no tidying: "name: value" CRLF.
    const bool plain = p.value_at == p.at + p.name_size + 2 && bytes_[p.value_at - 1] == ' ' &&
                       p.value_at + p.value_size + 2 == p.at + p.line_size;
    refs_.push_back({Narrow(p.at), Narrow(p.name_size), Narrow(p.value_at), Narrow(p.value_size),
                     plain ? Narrow(p.line_size) : 0});
  }

  void Clear() {
    bytes_.clear();
    refs_.clear();
    if (bytes_.capacity() > kBytesKept) bytes_.shrink_to_fit();
    if (refs_.capacity() > kFieldsKept) refs_.shrink_to_fit();
  }
  size_t kept_bytes() const { return bytes_.capacity() + refs_.capacity() * sizeof(Ref); }

  size_t size() const { return refs_.size(); }
  bool empty() const { return refs_.empty(); }
  FieldView operator[](size_t i) const {
    const Ref& ref = refs_[i];
    return {{bytes_.data() + ref.at, ref.name}, {bytes_.data() + ref.value_at, ref.value}};
  }
  // The field as it stood on the wire, "name: value" CRLF, judged by the parser; empty if it was
  // added by hand or spaced otherwise. Neighbours' lines are neighbours in memory.
  std::string_view Line(size_t i) const { return {bytes_.data() + refs_[i].at, refs_[i].line}; }

  // The first value of a field; names compare without case (RFC 9110 5.1).
  std::optional<std::string_view> Find(std::string_view name) const;

  // All lines of a field joined with ", " (RFC 9110 5.3); nothing if there is none.
  std::optional<std::string> Joined(std::string_view name) const;

  size_t Count(std::string_view name) const;

  friend bool operator==(const Fields& a, const Fields& b);

 private:
  static constexpr size_t kBytesKept = 16 * 1024;
  static constexpr size_t kFieldsKept = 256;

  struct Ref {
    uint32_t at, name, value_at, value, line;  // line: its size, 0 if Line() is empty
  };
  static uint32_t Narrow(size_t n) { return static_cast<uint32_t>(n); }

  std::string bytes_;
  std::vector<Ref> refs_;
};

}  // namespace apiquota::http
