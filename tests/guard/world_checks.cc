#include "world_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <sstream>
#include <utility>

namespace apiquota::world {
namespace {

constexpr size_t kFailuresKept = 8;
constexpr double kNothing = 1e-6;

std::string Seconds(Micros span) {
  std::ostringstream text;
  text << ToSeconds(span) << " s";
  return text.str();
}

template <class T>
std::string Maybe(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "-";
}

double Jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) sum += share, squares += share * share;
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

}  // namespace

std::string Text(const guard::KeyView& view) {
  std::ostringstream text;
  text << "in flight " << view.in_flight << ", waiting " << view.waiting;
  if (view.slots) text << "; slots " << view.slots->in_use << " of " << view.slots->limit;
  for (const auto& queue : view.queues) text << "; queue '" << queue.resource << "' " << queue.depth;
  for (const auto& cooldown : view.cooldowns) {
    text << "; cooldown '" << cooldown.resource << "' " << cooldown.evidence << " until "
         << cooldown.until.time_since_epoch().count() << " probes " << cooldown.probes;
  }
  for (const auto& limit : view.limits) {
    text << "; limit " << limit.resource << "/" << limit.quota << " " << limit.unit << " limit "
         << Maybe(limit.limit) << " available " << Maybe(limit.available) << " window "
         << Maybe(limit.window_seconds) << " reserved " << limit.reserved;
  }
  return text.str();
}

Checks::Checks(const Scenario& scenario, SystemTime start) : scenario_(scenario), start_(start) {
  for (const ClientOptions& client : scenario.clients) waiting_[client.flow] = 0;
}

void Checks::Fail(SystemTime now, std::string what) {
  if (++failed_ > kFailuresKept) return;
  failures_.push_back("at " + Seconds(now - start_) + ": " + std::move(what));
}

void Checks::Same(const guard::KeyView& before, const guard::KeyView& after, SystemTime now) {
  const std::string one = Text(before), other = Text(after);
  if (one != other) Fail(now, "a refusal changed the state from [" + one + "] to [" + other + "]");
}

void Checks::Held(const guard::KeyView& view, size_t tickets, size_t waiters, SystemTime now) {
  if (view.in_flight != tickets) {
    Fail(now, std::to_string(tickets) + " tickets are open, but [" + Text(view) + "]");
  }
  const auto poll = [](const ClientOptions& client) { return client.poll; };
  const bool polls = std::ranges::any_of(scenario_.clients, poll);
  if (view.slots && view.slots->in_use != tickets)
    Fail(now, "other slots than tickets: [" + Text(view) + "]");
  if (view.slots && !polls && tickets > view.slots->max) Fail(now, "too many: [" + Text(view) + "]");
  if (view.waiting != waiters) Fail(now, std::to_string(waiters) + " wait, but [" + Text(view) + "]");
  for (const auto& limit : view.limits) {
    if (limit.reserved < -kNothing) Fail(now, "less than nothing is reserved: [" + Text(view) + "]");
    if (limit.unit == "requests" && limit.reserved > static_cast<double>(tickets) + kNothing) {
      Fail(now, std::to_string(tickets) + " tickets hold more than that: [" + Text(view) + "]");
    }
  }
}

void Checks::Rest(const guard::KeyView& view, SystemTime now) {
  bool at_rest = view.in_flight == 0 && view.waiting == 0 && (!view.slots || view.slots->in_use == 0);
  for (const auto& limit : view.limits) at_rest = at_rest && std::abs(limit.reserved) < kNothing;
  if (!at_rest) Fail(now, "nothing is under way, but [" + Text(view) + "]");
}

void Checks::Waited(const std::string& flow, bool last_client, SystemTime since, SystemTime deadline,
                    bool served, SystemTime now) {
  if (now > deadline) Fail(now, "a waiter outlived its deadline by " + Seconds(now - deadline));
  if (last_client) longest_wait_ = std::max(longest_wait_, now - since);
  if (!served) return;
  if (now - since >= 1s) released_.push_back(now);
  // Those who leave at one moment reach their loops in any order.
  if (now != last_served_) CountGap();
  last_served_ = now;
  served_[flow] += 1;
}

void Checks::CountGap() {
  const bool all_wait = std::ranges::all_of(waiting_, [](const auto& each) { return each.second > 0; });
  if (std::exchange(not_all_waited_, false) || !all_wait) served_.clear();
  if (served_.empty()) return;
  double least = std::numeric_limits<double>::max(), most = 0;
  for (const auto& [flow, waiting] : waiting_) {
    least = std::min(least, served_[flow]);
    most = std::max(most, served_[flow]);
  }
  widest_gap_ = std::max(widest_gap_, most - least);
}

void Checks::Woken(bool woken, bool anybody, SystemTime now) {
  idle_wakes_ = woken && !anybody ? idle_wakes_ + 1 : 0;
  if (hopeless()) Fail(now, "it wakes and wakes, and nobody goes");
}

void Checks::Probe(int by, SystemTime now) {
  probes_ += by;
  if (probes_ > 1) Fail(now, "two probes are out");
  if (by > 0 && closed_until_ && now < *closed_until_) Fail(now, "a probe before its time");
}

// The next lapse ends then: one probe has told, and nobody goes before.
void Checks::Opened(SystemTime until, SystemTime now) {
  if (closed_until_ && now < *closed_until_) Fail(now, "two that told in one lapse");
  closed_until_ = until;
}

void Checks::Waiting(const std::string& flow, size_t waiting) {
  waiting_[flow] = waiting;
  if (waiting == 0) not_all_waited_ = true;
}

void Checks::Retried(const guard::RetryVerdict& verdict, const guard::RetryAsk& ask, SystemTime now) {
  if (verdict.kind != guard::RetryVerdict::Kind::kRetry) return;
  if (ask.cause == guard::RetryCause::kTransient && !ask.repeatable) {
    Fail(now, "what may have been carried out is sent twice");
  }
  if (verdict.not_before > ask.deadline) Fail(now, "another attempt after the deadline");
  if (ask.attempts >= scenario_.options.retry.attempts) Fail(now, "more attempts than allowed");
  if (verdict.not_before < now) Fail(now, "another attempt in the past");
  const Micros least = SecondsToMicros(ask.retry_after_seconds.value_or(0));
  if (verdict.not_before < now + least) Fail(now, "another attempt before the Retry-After");
}

void Checks::Next(std::optional<SystemTime> next, SystemTime now) {
  if (next && *next <= now) Fail(now, "NextAt names a time that has come already");
}

void Checks::Judge(Report* report) const {
  std::vector<std::string> failures = failures_;
  if (failed_ > failures.size())
    failures.push_back("and " + std::to_string(failed_ - failures.size()) + " more");
  const Expect& expect = scenario_.expect;
  const auto fail = [&](const std::string& what) { failures.push_back(what); };
  if (expect.no_api_refusals && report->api_refusals > 0) {
    fail("the API refused " + std::to_string(report->api_refusals) + " of " +
         std::to_string(report->attempts));
  }
  if (expect.no_early_calls && report->truth.totals.penalised > 0) {
    fail(std::to_string(report->truth.totals.penalised) + " calls came before they were told to");
  }
  if (report->truth.violations > 0) fail("the judge let through more than its limit");
  if (report->share < expect.share) {
    fail("used " + std::to_string(report->share) + " of what was possible (" + report->truth.binding +
         "), expected " + std::to_string(expect.share));
  }
  if (static_cast<double>(report->served) < expect.served * static_cast<double>(report->requests)) {
    fail("served " + std::to_string(report->served) + " of " + std::to_string(report->requests));
  }
  if (expect.refused_at_once &&
      static_cast<double>(report->late_refusals) >
          (1 - *expect.refused_at_once) * static_cast<double>(report->own_refusals)) {
    fail(std::to_string(report->late_refusals) + " of " + std::to_string(report->own_refusals) +
         " were refused after a wait");
  }
  if (expect.refused &&
      static_cast<double>(report->api_refusals) > *expect.refused * static_cast<double>(report->attempts)) {
    fail("the API refused " + std::to_string(report->api_refusals) + " of " +
         std::to_string(report->attempts));
  }
  if (expect.blocked_at_most && report->blocked > *expect.blocked_at_most) {
    fail("the API was not asked for " + Seconds(report->blocked));
  }
  if (expect.longest_wait && longest_wait_ > *expect.longest_wait) {
    fail("the last class waited for " + Seconds(longest_wait_));
  }
  if (expect.attempts_bounded) {
    const double most = (1 + scenario_.options.retry.budget) * static_cast<double>(report->requests) +
                        3 * ToSeconds(report->length);
    if (static_cast<double>(report->attempts) > most) {
      fail(std::to_string(report->attempts) + " attempts for " + std::to_string(report->requests) +
           " requests");
    }
  }
  JudgeFairness(*report, &failures);
  JudgeRelease(&failures);
  report->failures = std::move(failures);
}

void Checks::JudgeFairness(const Report& report, std::vector<std::string>* failures) const {
  const Expect& expect = scenario_.expect;
  std::vector<double> shares;
  for (const FlowReport& flow : report.flows) shares.push_back(static_cast<double>(flow.served));
  if (const double jain = Jain(shares); jain < expect.jain) {
    failures->push_back("Jain's index of the flows is " + std::to_string(jain));
  }
  if (expect.service_gap && widest_gap_ > *expect.service_gap) {
    failures->push_back("flows that always wait were " + std::to_string(widest_gap_) + " requests apart");
  }
}

void Checks::JudgeRelease(std::vector<std::string>* failures) const {
  if (!scenario_.expect.released_evenly) return;
  if (released_.size() < 100) {
    failures->push_back("only " + std::to_string(released_.size()) + " waited for the reset");
    return;
  }
  const auto [first, last] = std::ranges::minmax(released_);
  std::vector<size_t> bins(static_cast<size_t>((last - first) / 100ms) + 1);
  for (const SystemTime at : released_) ++bins[static_cast<size_t>((at - first) / 100ms)];
  const double mean = static_cast<double>(released_.size()) / static_cast<double>(bins.size());
  const size_t most = *std::ranges::max_element(bins);
  if (static_cast<double>(most) <= 2 * mean && bins.size() >= 5) return;
  failures->push_back(std::to_string(most) + " left within 100 ms, the mean of " +
                      std::to_string(bins.size()) + " is " + std::to_string(mean));
}

}  // namespace apiquota::world
