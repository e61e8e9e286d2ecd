#include "base/secret.h"

#include <string.h>

namespace apiquota {

Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.Wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  Wipe();
  value_ = other.value_;
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  *this = static_cast<const Secret&>(other);
  other.Wipe();
  return *this;
}

bool Secret::Equals(std::string_view candidate) const {
  unsigned char difference = value_.size() == candidate.size() ? 0 : 1;
  for (size_t i = 0; i < value_.size(); ++i) {
    const char other = candidate.empty() ? '\0' : candidate[i % candidate.size()];
    difference |= static_cast<unsigned char>(value_[i] ^ other);
  }
  return difference == 0;
}

void Secret::Wipe() {
  explicit_bzero(value_.data(), value_.capacity());
  value_.clear();
}

}  // namespace apiquota
