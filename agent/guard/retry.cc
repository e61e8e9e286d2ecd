#include "guard/retry.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace apiquota::guard {

namespace {

constexpr double kAtLeastASecond = 3;
constexpr Micros kThrottleBase = std::chrono::seconds(1);
constexpr Micros kTransientBase = std::chrono::milliseconds(50);
constexpr int kMostDoublings = 16;
constexpr double kLongestSeconds = 100.0 * 366 * 86400;
constexpr double kRounding = 1e-9;

int64_t SecondOf(SystemTime now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

double Within0And1(double random) { return random > 0 ? std::min(random, 1.0) : 0; }

// The wait without its random part, and the most that this may be. Nothing: Retry-After is no wait.
struct Wait {
  Micros least{};
  Micros random{};
};

std::optional<Wait> WaitBefore(const RetryAsk& ask) {
  const Micros base = (ask.cause == RetryCause::kThrottle ? kThrottleBase : kTransientBase) *
                      (int64_t{1} << std::clamp(ask.attempts - 1, 0, kMostDoublings));
  if (ask.retry_after_seconds.value_or(0) == 0) return Wait{base, base};
  if (!std::isfinite(*ask.retry_after_seconds) || *ask.retry_after_seconds < 0) return std::nullopt;
  const Micros after = SecondsToMicros(*ask.retry_after_seconds);
  return Wait{after, std::min(base, after / 10)};
}

}  // namespace

void RetryBudget::Deposit(double share, SystemTime now) {
  if (share > 0) SlotOf(now).earned += share;
}

RetryBudget::Slot& RetryBudget::SlotOf(SystemTime now) {
  const int64_t second = SecondOf(now);
  Slot& slot = slots_[static_cast<size_t>(second % static_cast<int64_t>(kSlots) + kSlots) % kSlots];
  if (slot.second != second) slot = Slot{second};
  return slot;
}

bool RetryBudget::Withdraw(SystemTime now) {
  Slot& slot = SlotOf(now);
  double left = 0;
  for (const Slot& held : slots_) {
    if (held.second > slot.second - static_cast<int64_t>(kSlots)) left += held.earned - held.spent;
  }
  if (left < 1 - kRounding && slot.spent >= kAtLeastASecond) return false;
  slot.spent += 1;
  return true;
}

void Retries::Requested(const RetryOptions& options, SystemTime now) {
  for (RetryBudget& budget : budgets_) budget.Deposit(options.budget, now);
}

RetryVerdict Retries::Decide(const RetryAsk& ask, const RetryOptions& options, double random,
                             SystemTime now) {
  using Kind = RetryVerdict::Kind;
  if (options.mode == Mode::kOff) return {Kind::kOff, now};
  if (ask.attempts >= options.attempts) return {Kind::kAttempts, now};
  if (ask.cause == RetryCause::kTransient && !ask.repeatable) return {Kind::kNotRepeatable, now};
  if (!ask.body_kept) return {Kind::kBodyNotKept, now};
  const std::optional<Wait> wait = WaitBefore(ask);
  // Compared as spans: a deadline may be the end of time.
  if (!wait || wait->least >= ask.deadline - now) return {Kind::kDeadline, now};
  const bool budgeted = ask.cause == RetryCause::kTransient;
  if (budgeted && !budgets_[static_cast<size_t>(ask.cause)].Withdraw(now)) return {Kind::kBudget, now};
  // Half of the room behind it is left for its turn.
  const Micros most = std::min(wait->random, (ask.deadline - now - wait->least) / 2);
  const auto jitter = static_cast<int64_t>(Within0And1(random) * static_cast<double>(most.count()));
  return {Kind::kRetry, now + wait->least + Micros(jitter)};
}

namespace {

// 1*8DIGIT and a unit.
std::optional<double> GrpcSeconds(std::string_view value) {
  if (value.size() < 2 || value.size() > 9) return std::nullopt;
  const std::optional<uint64_t> count = ParseDigits(value.substr(0, value.size() - 1));
  if (!count) return std::nullopt;
  const auto number = static_cast<double>(*count);
  switch (value.back()) {
    case 'H':
      return number * 3600;
    case 'M':
      return number * 60;
    case 'S':
      return number;
    case 'm':
      return number / 1e3;
    case 'u':
      return number / 1e6;
    case 'n':
      return number / 1e9;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Micros> ClientTimeout(std::string_view name, std::string_view value) {
  const std::string_view text = Trim(value);
  const std::optional<double> seconds =
      EqualsIgnoreCase(name, "grpc-timeout") ? GrpcSeconds(text) : ParseDecimal(text);
  if (!seconds || !(*seconds > 0)) return std::nullopt;
  const Micros timeout = SecondsToMicros(std::min(*seconds, kLongestSeconds));
  return std::max(timeout, Micros(1));
}

SystemTime DeadlineFor(std::optional<Micros> client_timeout, const QueueOptions& options,
                       std::optional<Micros> median_first_byte, SystemTime now) {
  Micros wait = options.max_wait;
  if (client_timeout) {
    wait = std::min(wait, *client_timeout / 2);
    if (median_first_byte) wait = std::min(wait, *client_timeout - *median_first_byte);
  }
  return now + std::max(wait, Micros(0));
}

}  // namespace apiquota::guard
