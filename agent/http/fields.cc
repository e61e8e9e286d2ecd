#include "http/fields.h"

namespace apiquota::http {

std::optional<std::string_view> Fields::Find(std::string_view name) const {
  for (size_t i = 0; i < refs_.size(); ++i) {
    if (refs_[i].name != name.size()) continue;
    const FieldView field = (*this)[i];
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string> Fields::Joined(std::string_view name) const {
  std::optional<std::string> joined;
  for (size_t i = 0; i < refs_.size(); ++i) {
    const FieldView field = (*this)[i];
    if (!EqualsIgnoreCase(field.name, name)) continue;
    if (joined) {
      joined->append(", ").append(field.value);
    } else {
      joined = std::string(field.value);
    }
  }
  return joined;
}

size_t Fields::Count(std::string_view name) const {
  size_t count = 0;
  for (size_t i = 0; i < refs_.size(); ++i) count += EqualsIgnoreCase((*this)[i].name, name) ? 1 : 0;
  return count;
}

bool operator==(const Fields& a, const Fields& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value) return false;
  }
  return true;
}

}  // namespace apiquota::http
