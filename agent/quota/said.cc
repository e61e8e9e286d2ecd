#include "quota/said.h"

namespace apiquota::quota {

bool Newer(const Said& a, const Said& b) {
  if (a.date && b.date && *a.date != *b.date) return *a.date > *b.date;
  return a.order > b.order;
}

Said Sane(Said said) {
  if (said.date && std::chrono::abs(*said.date - said.received_at) > kDateSane) said.date.reset();
  return said;
}

}  // namespace apiquota::quota
