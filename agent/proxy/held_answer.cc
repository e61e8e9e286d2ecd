#include "proxy/held_answer.h"

namespace apiquota::proxy {

void HeldAnswer::Begin(const http::ResponseHead& head) {
  Clear();
  active_ = true;
  head_ = head;
}

void HeldAnswer::Add(std::span<const std::string_view> slices, bool complete) {
  for (const std::string_view slice : slices) body_.append(slice);
  complete_ = complete;
}

void HeldAnswer::Clear() {
  active_ = complete_ = false;
  std::string().swap(body_);
}

}  // namespace apiquota::proxy
