#include "guard/own_limits.h"

#include <utility>

namespace apiquota::guard {

struct OwnLimits::State {
  std::vector<LimitRule> rules;
  std::vector<std::string> exempt;
};

OwnLimits::OwnLimits(std::vector<LimitRule> rules, std::vector<std::string> exempt)
    : state_(std::make_unique<State>(State{std::move(rules), std::move(exempt)})) {}
OwnLimits::~OwnLimits() = default;

void OwnLimits::Configure(std::vector<LimitRule> rules, std::vector<std::string> exempt) {
  state_->rules = std::move(rules);
  state_->exempt = std::move(exempt);
}
bool OwnLimits::empty() const { return state_->rules.empty(); }
LimitTurn OwnLimits::Ask(const LimitedCall&, SystemTime) { return {}; }
void OwnLimits::Refund(const LimitHold&, SystemTime) {}
void OwnLimits::Settle(const LimitHold&, double, SystemTime) {}
std::vector<LimitUse> OwnLimits::View(SystemTime, size_t) const { return {}; }

}  // namespace apiquota::guard
