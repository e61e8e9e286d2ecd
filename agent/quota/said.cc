#include "quota/said.h"

namespace apiquota::quota {

Said Sane(Said said, Micros age) {
  if (age > Micros(0)) {
    said.received_at -= age;
    said.sent_at = said.received_at;
    said.date.reset();
    said.order = kOutOfCache;
  }
  if (said.date && std::chrono::abs(*said.date - said.received_at) > kDateSane) said.date.reset();
  return said;
}

bool Newer(const Said& a, const Said& b) {
  if (a.order && b.order) {
    if (a.sent_at > b.received_at) return true;
    if (b.sent_at > a.received_at) return false;
    if (a.date && b.date && *a.date != *b.date) return *a.date > *b.date;
  }
  if (a.order == kOutOfCache && !b.order) return a.sent_at > b.received_at;
  return a.order > b.order;
}

}  // namespace apiquota::quota
