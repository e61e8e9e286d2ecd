#include "base/secret.h"

#include <string.h>

#include <utility>

namespace apiquota {
namespace {

// Short strings live inside the object: their bytes stay behind when they are moved from or
// cleared.
void WipeString(std::string& text) {
  text.resize(text.capacity());  // NOLINT(clang-analyzer-cplusplus.Move): what a move left is what we wipe
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace

Secret::Secret(std::string value) : value_(std::move(value)) { WipeString(value); }

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.Wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  Wipe();
  value_ = other.value_;
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  value_ = std::move(other.value_);
  other.Wipe();
  return *this;
}

bool Secret::Equals(std::string_view candidate) const {
  unsigned char difference = value_.size() == candidate.size() && !value_.empty() ? 0 : 1;
  for (size_t i = 0; i < value_.size(); ++i) {
    const char other = candidate.empty() ? '\0' : candidate[i % candidate.size()];
    difference |= static_cast<unsigned char>(value_[i] ^ other);
  }
  return difference == 0;
}

void Secret::Wipe() { WipeString(value_); }

}  // namespace apiquota
