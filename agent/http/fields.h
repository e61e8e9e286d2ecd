// Header fields as one flat, reusable buffer: names and values as received, in order, duplicates kept.
// Copying costs two allocations whatever the number of fields; Clear() keeps the capacity for the next one.
// Not thread-safe to change. Views stay valid until the next Add, Clear or assignment.
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

class Fields {
 public:
  void Add(std::string_view name, std::string_view value) {
    refs_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(name.size()),
                     static_cast<uint32_t>(value.size())});
    bytes_.append(name).append(value);
  }
  void Clear() {
    bytes_.clear();
    refs_.clear();
  }

  size_t size() const { return refs_.size(); }
  bool empty() const { return refs_.empty(); }
  size_t bytes() const { return bytes_.size(); }  // names and values together
  FieldView operator[](size_t i) const {
    const Ref& ref = refs_[i];
    const std::string_view all(bytes_);
    return {all.substr(ref.at, ref.name), all.substr(ref.at + ref.name, ref.value)};
  }

  // The first value of a field; names compare without case (RFC 9110 5.1).
  std::optional<std::string_view> Find(std::string_view name) const;

  // All lines of a field joined with ", " (RFC 9110 5.3); nothing if there is none.
  std::optional<std::string> Joined(std::string_view name) const;

  size_t Count(std::string_view name) const;

  friend bool operator==(const Fields& a, const Fields& b);

 private:
  struct Ref {
    uint32_t at, name, value;
  };
  std::string bytes_;
  std::vector<Ref> refs_;
};

}  // namespace apiquota::http
