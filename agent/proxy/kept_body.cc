#include "proxy/kept_body.h"

namespace apiquota::proxy {

void KeptBody::Begin(const KeptBodyLimits& limits) {
  Clear();
  limits_ = limits;
}

void KeptBody::Add(std::span<const std::string_view> slices) { Append(slices); }

void KeptBody::AddSent(std::span<const std::string_view> slices) {
  if (!whole_) return;
  size_t more = 0;
  for (const std::string_view slice : slices) more += slice.size();
  const bool fits = bytes_.size() + more <= limits_.bytes_max && all_.total() + more <= limits_.together_max;
  if (more > 0 && !fits) return LetGo();
  Append(slices);
}

void KeptBody::LetGo() {
  whole_ = false;
  std::string().swap(bytes_);
  Account();
}

void KeptBody::Clear() {
  LetGo();
  whole_ = true;
}

bool KeptBody::full() const {
  if (bytes_.size() >= limits_.bytes_max) return true;
  return bytes_.size() >= kAlwaysRead && all_.total() >= limits_.together_max;
}

void KeptBody::Append(std::span<const std::string_view> slices) {
  for (const std::string_view slice : slices) bytes_.append(slice);
  Account();
}

// By what it takes, not by what is in it: strings grow ahead of their contents. What stands in the object
// itself takes nothing more.
void KeptBody::Account() {
  static const size_t kInPlace = std::string().capacity();
  const size_t taken = bytes_.capacity() > kInPlace ? bytes_.capacity() : 0;
  if (taken > accounted_) all_.Add(taken - accounted_);
  if (taken < accounted_) all_.Remove(accounted_ - taken);
  accounted_ = taken;
}

}  // namespace apiquota::proxy
