#include "guard/breaker.h"

namespace apiquota::guard {

std::optional<SystemTime> Breaker::Refuses(SystemTime) const { return std::nullopt; }
std::optional<BreakerPass> Breaker::Enter(SystemTime) { return BreakerPass{}; }
void Breaker::Ended(const BreakerPass&, Health, SystemTime) {}
BreakerView Breaker::View(SystemTime) const { return {}; }

}  // namespace apiquota::guard
