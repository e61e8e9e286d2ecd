#include "simulate/counter.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace apiquota::simulate {
namespace {

// fixed, aligned, elastic.
class WindowCounter final : public Counter {
 public:
  explicit WindowCounter(const LimitOptions& options)
      : kind_(options.kind), limit_(options.limit), window_(options.window) {}

  double Capacity() const override { return limit_; }
  double Remaining(SystemTime now) const override { return Open(now) ? limit_ - used_ : limit_; }
  SystemTime ResetAt(SystemTime now) const override { return Open(now) ? end_ : EndOf(now); }
  std::optional<SystemTime> WindowStart(SystemTime now) const override {
    return Open(now) ? std::optional(start_) : std::nullopt;
  }

  std::optional<Micros> WaitFor(double cost, SystemTime now) const override {
    if (cost <= Remaining(now)) return Micros(0);
    if (cost > limit_) return std::nullopt;
    return end_ - now;
  }

  void Take(double cost, SystemTime now) override {
    if (!Open(now)) {
      used_ = 0;
      end_ = EndOf(now);
      start_ = kind_ == LimitKind::kAligned ? end_ - window_ : now;
    }
    used_ += cost;
    if (kind_ == LimitKind::kElastic) end_ = now + window_;
  }

  void GiveBack(double surplus, SystemTime taken_at, SystemTime now) override {
    if (Open(now) && taken_at >= start_) used_ = std::max(0.0, used_ - surplus);
  }

  void Refuse(double cost, SystemTime now) override {
    if (cost > 0 || (kind_ == LimitKind::kElastic && Open(now))) Take(cost, now);
  }

 private:
  bool Open(SystemTime now) const { return now < end_; }
  SystemTime EndOf(SystemTime now) const {
    if (kind_ != LimitKind::kAligned) return now + window_;
    const Micros into = now.time_since_epoch() % window_;
    return now - into + window_;
  }

  LimitKind kind_;
  double limit_;
  Micros window_;
  double used_ = 0;
  SystemTime start_ = SystemTime::min(), end_ = SystemTime::min();
};

// An exact log.
class SlidingCounter final : public Counter {
 public:
  explicit SlidingCounter(const LimitOptions& options) : limit_(options.limit), window_(options.window) {}

  double Capacity() const override { return limit_; }
  double Remaining(SystemTime now) const override { return limit_ - (sum_ - Gone(now)); }
  SystemTime ResetAt(SystemTime now) const override {
    return log_.empty() ? now : std::max(now, log_.back().at + window_);
  }

  std::optional<Micros> WaitFor(double cost, SystemTime now) const override {
    double missing = cost - Remaining(now);
    if (missing <= 0) return Micros(0);
    if (cost > limit_) return std::nullopt;
    for (const Entry& entry : log_) {
      if (entry.at + window_ <= now) continue;
      missing -= entry.cost;
      if (missing <= 0) return entry.at + window_ - now;
    }
    return log_.empty() ? Micros(0) : log_.back().at + window_ - now;
  }

  void Take(double cost, SystemTime now) override {
    while (!log_.empty() && log_.front().at + window_ <= now) {
      sum_ -= log_.front().cost;
      log_.pop_front();
    }
    if (log_.empty()) sum_ = 0;
    log_.push_back({now, cost});
    sum_ += cost;
  }

  void GiveBack(double surplus, SystemTime taken_at, SystemTime) override {
    const auto entry = std::ranges::lower_bound(log_, taken_at, {}, &Entry::at);
    if (entry == log_.end() || entry->at != taken_at) return;
    const double back = std::min(surplus, entry->cost);
    entry->cost -= back;
    sum_ -= back;
  }

  void Refuse(double cost, SystemTime now) override {
    if (cost > 0) Take(cost, now);
  }

 private:
  struct Entry {
    SystemTime at;
    double cost;
  };

  // What the log still holds and the window does not.
  double Gone(SystemTime now) const {
    double gone = 0;
    for (const Entry& entry : log_) {
      if (entry.at + window_ > now) break;
      gone += entry.cost;
    }
    return gone;
  }

  double limit_;
  Micros window_;
  std::deque<Entry> log_;
  double sum_ = 0;
};

// Counts in amount × window, of which a microsecond gives back `limit`: whole numbers, so that nothing is
// rounded.
class BucketCounter final : public Counter {
 public:
  explicit BucketCounter(const LimitOptions& options)
      : limit_(options.limit),
        window_(static_cast<double>(options.window.count())),
        burst_(options.burst > 0 ? options.burst : options.limit) {}

  double Capacity() const override { return burst_; }
  double Remaining(SystemTime now) const override { return burst_ - Spent(now) / window_; }
  SystemTime ResetAt(SystemTime now) const override { return now + TimeFor(Spent(now)); }

  std::optional<Micros> WaitFor(double cost, SystemTime now) const override {
    if (cost > burst_) return std::nullopt;
    return TimeFor(Spent(now) - (burst_ - cost) * window_);
  }

  void Take(double cost, SystemTime now) override { Set(Spent(now) + cost * window_, now); }

  void GiveBack(double surplus, SystemTime, SystemTime now) override {
    Set(Spent(now) - surplus * window_, now);
  }

  void Refuse(double cost, SystemTime now) override {
    const double full = burst_ * window_;
    const double spent = Spent(now);
    if (cost > 0) Set(std::max(spent, std::min(full, spent + cost * window_)), now);
  }

 private:
  double Spent(SystemTime now) const {
    return std::max(0.0, spent_ - limit_ * static_cast<double>((now - at_).count()));
  }
  Micros TimeFor(double spent) const {
    return Micros(static_cast<int64_t>(std::max(0.0, std::ceil(spent / limit_))));
  }
  void Set(double spent, SystemTime now) {
    spent_ = std::max(0.0, spent);
    at_ = now;
  }

  double limit_, window_, burst_;
  double spent_ = 0;
  SystemTime at_ = {};
};

class ConcurrencyCounter final : public Counter {
 public:
  explicit ConcurrencyCounter(const LimitOptions& options) : limit_(options.limit) {}

  double Capacity() const override { return limit_; }
  double Remaining(SystemTime) const override { return limit_ - active_; }
  SystemTime ResetAt(SystemTime now) const override { return now; }
  std::optional<Micros> WaitFor(double cost, SystemTime) const override {
    return cost <= limit_ - active_ ? std::optional(Micros(0)) : std::nullopt;
  }
  void Take(double cost, SystemTime) override { active_ += cost; }
  void GiveBack(double surplus, SystemTime, SystemTime) override { active_ -= surplus; }
  void Refuse(double, SystemTime) override {}

 private:
  double limit_;
  double active_ = 0;
};

}  // namespace

std::unique_ptr<Counter> Counter::Make(const LimitOptions& options) {
  switch (options.kind) {
    case LimitKind::kSliding:
      return std::make_unique<SlidingCounter>(options);
    case LimitKind::kBucket:
      return std::make_unique<BucketCounter>(options);
    case LimitKind::kConcurrency:
      return std::make_unique<ConcurrencyCounter>(options);
    default:
      return std::make_unique<WindowCounter>(options);
  }
}

}  // namespace apiquota::simulate
