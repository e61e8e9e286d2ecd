#include "simulate/account.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace apiquota::simulate {
namespace {

constexpr double kRounding = 1e-6;  // fractions of a token

bool InTokens(LimitUnit unit) {
  return unit == LimitUnit::kTokens || unit == LimitUnit::kInputTokens || unit == LimitUnit::kOutputTokens;
}

bool ChargedAtEnd(const LimitOptions& options) {
  return InTokens(options.unit) && options.charge == Charge::kEnd;
}

}  // namespace

Account::Account(const LimitOptions& options, SystemTime first_call)
    : options_(options), counter_(Counter::Make(options)), first_call_(first_call), slots_at_(first_call) {}

// What is charged at the end is let in while there is anything left.
double Account::StartCost(const CallCost& asked) const {
  return ChargedAtEnd(options_) ? std::min(1.0, counter_->Capacity()) : AskedCostIn(options_, asked);
}

std::optional<Micros> Account::WaitFor(const CallCost& asked, SystemTime now) const {
  return counter_->WaitFor(StartCost(asked), now);
}

bool Account::NeverFits(const CallCost& asked) const { return StartCost(asked) > counter_->Capacity(); }

WindowTruth& Account::WindowAt(SystemTime now) {
  SystemTime start = now;
  if (const auto own = counter_->WindowStart(now)) {
    start = *own;
  } else if (options_.kind == LimitKind::kSliding || options_.kind == LimitKind::kBucket ||
             options_.kind == LimitKind::kConcurrency) {
    start = now - (now - first_call_) % options_.window;
  } else if (!windows_.empty() && now - windows_.back().start < options_.window) {
    start = windows_.back().start;  // nothing has been taken since: what never fits opens no window
  }
  if (windows_.empty() || windows_.back().start != start) windows_.push_back({.start = start});
  if (windows_.size() > kWindowsKept) {
    windows_.pop_front();
    ++windows_left_out_;
  }
  return windows_.back();
}

void Account::KeepSlotTime(SystemTime now) {
  if (options_.kind != LimitKind::kConcurrency) return;
  used_ += (counter_->Capacity() - counter_->Remaining(now)) * ToSeconds(now - slots_at_);
  slots_at_ = now;
}

void Account::Charge(double cost, SystemTime now) {
  counter_->Take(cost, now);
  WindowTruth& window = WindowAt(now);
  if (options_.kind == LimitKind::kConcurrency) {
    window.used = std::max(window.used, counter_->Capacity() - counter_->Remaining(now));
  } else {
    window.used += cost;
    used_ += cost;
  }
}

void Account::Admit(const CallCost& asked, SystemTime now) {
  KeepSlotTime(now);
  ++admitted_;
  const double before = counter_->Remaining(now);
  const double cost =
      ChargedAtEnd(options_) ? 0 : StartCost(asked);  // a window opens with the call, not its end
  Charge(cost, now);
  ++WindowAt(now).admitted;
  if (cost > before + kRounding) ++violations_;
}

void Account::Refuse(const CallCost& asked, bool by_us, bool counted, SystemTime now) {
  counter_->Refuse(counted ? StartCost(asked) : 0, now);
  if (!by_us) return;
  ++refused_;
  ++WindowAt(now).refused;
}

void Account::End(const CallCost& asked, const CallCost& actual, SystemTime admitted_at, SystemTime now) {
  KeepSlotTime(now);
  if (options_.kind == LimitKind::kConcurrency) return counter_->GiveBack(StartCost(asked), admitted_at, now);
  if (ChargedAtEnd(options_)) return Charge(CostIn(options_.unit, actual), now);
  if (!InTokens(options_.unit) || options_.charge != Charge::kSettled) return;
  const double surplus = AskedCostIn(options_, asked) - CostIn(options_.unit, actual);
  counter_->GiveBack(surplus, admitted_at, now);
  used_ -= surplus;
  const auto window = std::ranges::find_if(windows_.rbegin(), windows_.rend(), [&](const WindowTruth& truth) {
    return truth.start <= admitted_at;
  });
  if (window != windows_.rend()) window->used -= surplus;
}

void Account::AddTo(LimitTruth* truth, SystemTime until) const {
  truth->admitted += admitted_;
  truth->refused += refused_;
  truth->violations += violations_;
  truth->used += used_;
  if (options_.kind == LimitKind::kConcurrency) {
    const double active = counter_->Capacity() - counter_->Remaining(until);
    truth->used += active * std::max(0.0, ToSeconds(until - slots_at_));
  }
  truth->possible += PossibleOf(options_, first_call_, until);
  truth->windows.insert(truth->windows.end(), windows_.begin(), windows_.end());
  truth->windows_left_out += windows_left_out_;
}

double PossibleOf(const LimitOptions& options, SystemTime first_call, SystemTime until) {
  if (until < first_call) return 0;
  const auto windows = [&](Micros from, Micros to) {
    return options.limit * static_cast<double>(to / options.window - from / options.window + 1);
  };
  switch (options.kind) {
    case LimitKind::kAligned:
      return windows(first_call.time_since_epoch(), until.time_since_epoch());
    case LimitKind::kBucket: {
      const double burst = options.burst > 0 ? options.burst : options.limit;
      const double all = burst + options.limit * ToSeconds(until - first_call) / ToSeconds(options.window);
      return options.unit == LimitUnit::kRequests ? std::floor(all + kRounding) : all;
    }
    case LimitKind::kConcurrency:
      return options.limit * ToSeconds(until - first_call);
    default:
      return windows(Micros(0), until - first_call);
  }
}

double PossibleTogether(const std::vector<LimitOptions>& limits, SystemTime first_call, SystemTime until) {
  // One alone needs no play through every request of a fast bucket.
  if (limits.size() == 1) return PossibleOf(limits.front(), first_call, until);
  std::vector<std::unique_ptr<Counter>> counters;
  for (const LimitOptions& options : limits) counters.push_back(Counter::Make(options));
  double taken = 0;
  for (SystemTime now = first_call; now <= until;) {
    double fits = std::numeric_limits<double>::max();
    Micros wait(0);
    for (const auto& counter : counters) {
      const auto one = counter->WaitFor(1, now);
      if (!one) return taken;
      wait = std::max(wait, *one);
      fits = std::min(fits, std::floor(counter->Remaining(now) + kRounding));
    }
    if (wait > Micros(0)) {
      now += wait;
      continue;
    }
    fits = std::max(1.0, fits);
    for (const auto& counter : counters) counter->Take(fits, now);
    taken += fits;
  }
  return taken;
}

}  // namespace apiquota::simulate
