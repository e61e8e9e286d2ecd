#include "guard/own_limits_meter.h"

#include <algorithm>
#include <cmath>

namespace apiquota::guard {
namespace {

constexpr double kAmountMax = 1e15;  // whole in a double, and so are sums of a few
constexpr double kStepsMax = 9e17;   // nanoseconds: 28 years
constexpr int64_t kNanosPerMicro = 1000;

int64_t MicrosOf(SystemTime time) { return time.time_since_epoch().count(); }
int64_t NanosOf(SystemTime time) { return MicrosOf(time) * kNanosPerMicro; }
Micros Ceiled(int64_t nanos) { return Micros((nanos + kNanosPerMicro - 1) / kNanosPerMicro); }

}  // namespace

LimitMeter::LimitMeter(const LimitRule& rule)
    : algorithm_(rule.algorithm),
      unit_(rule.unit),
      allowed_(std::min(static_cast<double>(rule.limit), kAmountMax)),
      window_(std::max(rule.window, Micros(1))),
      sub_(0) {
  const bool exact = rule.unit == LimitRule::Unit::kRequests && rule.limit <= kExactMost;
  if (!exact) sub_ = std::max(window_ / kSubWindows, Micros(1));
  if (algorithm_ != LimitRule::Algorithm::kGcra || rule.limit == 0) return;
  const double nanos = static_cast<double>(window_.count()) * kNanosPerMicro;
  unit_ns_ = std::max(std::ceil(nanos / allowed_), 1.0);
  allowed_ = std::min(static_cast<double>(std::max<uint64_t>(rule.burst, 1)), kAmountMax);
}

double LimitMeter::AmountOf(double tokens) const {
  if (unit_ == LimitRule::Unit::kRequests) return 1;
  return tokens > 0 ? std::ceil(std::min(tokens, kAmountMax)) : 0;
}

int64_t LimitMeter::Steps(double amount) const {
  return static_cast<int64_t>(std::min(amount * unit_ns_, kStepsMax));
}

// gcra: how far what was taken reaches into the future, in ns.
int64_t LimitMeter::Ahead(const LimitUsed* used, SystemTime now) const {
  return used == nullptr ? 0 : std::max<int64_t>(used->at - NanosOf(now), 0);
}

LimitMeter::Standing LimitMeter::Stand(const LimitUsed* used, SystemTime now) const {
  Standing standing{.used = 0, .remaining = allowed_, .reset = {}};
  if (used == nullptr || Over(*used, now)) return standing;
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed:
      standing.used = used->used;
      standing.reset = Micros(used->at) + window_ - now.time_since_epoch();
      break;
    case LimitRule::Algorithm::kSliding:
      for (size_t i = used->log->sends.size(); i-- > used->log->gone;) {
        const LimitLog::Sends& sends = used->log->sends[i];
        const Micros left = Micros(sends.at) + window_ - now.time_since_epoch();
        if (left <= Micros(0)) break;
        standing.used += sends.amount;
        standing.reset = left;
      }
      break;
    case LimitRule::Algorithm::kGcra: {
      const int64_t ahead = Ahead(used, now);
      standing.used = static_cast<double>(ahead) / unit_ns_;
      const double whole = std::clamp(std::floor(allowed_ - standing.used + 1e-6), 0.0, allowed_);
      standing.remaining = whole;
      standing.reset = Ceiled(std::max<int64_t>(ahead - Steps(std::max(allowed_ - whole - 1, 0.0)), 0));
      return standing;
    }
  }
  standing.remaining = std::max(allowed_ - standing.used, 0.0);
  return standing;
}

std::optional<SystemTime> LimitMeter::UntilRoomInLog(const LimitLog& log, double need, SystemTime now) const {
  double used = 0;
  for (size_t i = log.sends.size(); i-- > log.gone;) {
    const SystemTime back = SystemTime(Micros(log.sends[i].at)) + window_;
    if (back <= now) break;
    used += log.sends[i].amount;
    if (used + need > allowed_) return back;
  }
  return std::nullopt;
}

std::optional<SystemTime> LimitMeter::Until(const LimitUsed* used, double amount, SystemTime now) const {
  const double need = std::clamp(amount, 1.0, std::max(allowed_, 1.0));
  if (allowed_ < 1) return SystemTime::max();
  if (used == nullptr) return std::nullopt;
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed: {
      const SystemTime end = SystemTime(Micros(used->at)) + window_;
      return now >= end || used->used + need <= allowed_ ? std::nullopt : std::optional(end);
    }
    case LimitRule::Algorithm::kSliding:
      return used->log ? UntilRoomInLog(*used->log, need, now) : std::nullopt;
    case LimitRule::Algorithm::kGcra: {
      const int64_t room = Steps(allowed_) - Steps(need);
      const int64_t ahead = Ahead(used, now);
      return ahead <= room ? std::nullopt : std::optional(now + Ceiled(ahead - room));
    }
  }
  return std::nullopt;
}

int64_t LimitMeter::Take(LimitUsed* used, double amount, SystemTime now) const {
  int64_t at = MicrosOf(now);
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed:
      if (Over(*used, now)) used->at = at, used->used = 0;
      used->used += amount;
      return used->at;
    case LimitRule::Algorithm::kGcra:
      used->at = NanosOf(now) + Ahead(used, now) + Steps(amount);
      return used->at;
    case LimitRule::Algorithm::kSliding:
      break;
  }
  if (sub_ > Micros(0)) at += sub_.count() - at % sub_.count();
  if (amount <= 0) return at;
  if (!used->log) used->log = std::make_unique<LimitLog>();
  std::vector<LimitLog::Sends>& sends = used->log->sends;
  size_t& gone = used->log->gone;
  while (gone < sends.size() && Micros(sends[gone].at) + window_ <= now.time_since_epoch()) ++gone;
  if (gone == sends.size() || (sends.size() == sends.capacity() && 2 * gone >= sends.size())) {
    sends.erase(sends.begin(), sends.begin() + static_cast<std::ptrdiff_t>(gone));
    gone = 0;
  }
  if (!sends.empty() && sends.back().at >= at) {
    sends.back().amount += amount;
    return sends.back().at;
  }
  sends.push_back({at, amount});
  return at;
}

void LimitMeter::Return(LimitUsed* used, int64_t mark, double amount, SystemTime now) const {
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed:
      if (used->at == mark) used->used = std::max(used->used - amount, 0.0);
      return;
    case LimitRule::Algorithm::kGcra:
      // What is taken comes back one after the other, this until `mark`: of it there is no more to give than
      // what is left until then.
      used->at -= std::clamp<int64_t>(mark - NanosOf(now), 0, Steps(amount));
      return;
    case LimitRule::Algorithm::kSliding:
      break;
  }
  if (!used->log) return;
  std::vector<LimitLog::Sends>& sends = used->log->sends;
  const auto first = sends.begin() + static_cast<std::ptrdiff_t>(used->log->gone);
  const auto found = std::ranges::lower_bound(first, sends.end(), mark, {}, &LimitLog::Sends::at);
  if (found == sends.end() || found->at != mark) return;
  found->amount -= amount;
  if (found->amount <= 0) sends.erase(found);
}

bool LimitMeter::Over(const LimitUsed& used, SystemTime now) const {
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed:
      return used.used <= 0 || now >= SystemTime(Micros(used.at)) + window_;
    case LimitRule::Algorithm::kGcra:
      return used.at <= NanosOf(now);
    case LimitRule::Algorithm::kSliding:
      return !used.log || used.log->gone == used.log->sends.size() ||
             SystemTime(Micros(used.log->sends.back().at)) + window_ <= now;
  }
  return true;
}

SavedUse LimitMeter::Save(uint64_t subject, const LimitUsed& used, SystemTime now) const {
  SavedUse saved{.subject = subject, .used = 0, .at = {}, .sends = {}};
  if (algorithm_ == LimitRule::Algorithm::kGcra) saved.at = SystemTime(Ceiled(used.at));
  if (algorithm_ == LimitRule::Algorithm::kFixed)
    saved.used = used.used, saved.at = SystemTime(Micros(used.at));
  if (!used.log) return saved;
  for (size_t i = used.log->gone; i < used.log->sends.size(); ++i) {
    const SystemTime at{Micros(used.log->sends[i].at)};
    if (at + window_ > now) saved.sends.emplace_back(at, used.log->sends[i].amount);
  }
  return saved;
}

void LimitMeter::Restore(const SavedUse& saved, SystemTime now, LimitUsed* used) const {
  used->used = saved.used;
  switch (algorithm_) {
    case LimitRule::Algorithm::kFixed:
      used->at = MicrosOf(std::min(saved.at, now));
      return;
    case LimitRule::Algorithm::kGcra: {
      const SystemTime emptied = now + Ceiled(Steps(allowed_));
      used->at = saved.at < emptied ? NanosOf(saved.at) : NanosOf(now) + Steps(allowed_);
      return;
    }
    case LimitRule::Algorithm::kSliding:
      break;
  }
  used->log = std::make_unique<LimitLog>();
  for (const auto& [at, amount] : saved.sends)
    used->log->sends.push_back({MicrosOf(std::min(at, now + sub_)), amount});
}

}  // namespace apiquota::guard
