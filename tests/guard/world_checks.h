// What must always hold, watched while a world runs: deadlines, reservations, refusals that change nothing,
// who was served, who was sent twice. Failures are sentences with their time. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard/key_guard.h"
#include "world_scenario.h"

namespace apiquota::world {

class Checks {
 public:
  Checks(const Scenario& scenario, SystemTime start);

  void Fail(SystemTime now, std::string what);
  // A refusal leaves the state as it was.
  void Same(const guard::KeyView& before, const guard::KeyView& after, SystemTime now);
  // What is held now: `tickets` are open, `waiters` wait.
  void Held(const guard::KeyView& view, size_t tickets, size_t waiters, SystemTime now);
  // At the end of the run nothing is held.
  void Rest(const guard::KeyView& view, SystemTime now);
  // A wait is over.
  void Waited(const std::string& flow, bool last_client, SystemTime since, SystemTime deadline, bool served,
              SystemTime now);
  void Retried(const guard::RetryVerdict& verdict, const guard::RetryAsk& ask, SystemTime now);
  // Advance and NextAt: a time that has come already would never end.
  void Next(std::optional<SystemTime> next, SystemTime now);
  // Advance has run, because its time had come (`woken`) or after something else; whether anybody went.
  void Woken(bool woken, bool anybody, SystemTime now);
  // A probe of the breaker goes out (1), or comes back; it opens, or opens anew after a probe.
  void Probe(int by, SystemTime now);
  void Opened(SystemTime until, SystemTime now);
  // It would go on for ever.
  bool hopeless() const { return idle_wakes_ > kIdleWakesMax; }
  // A flow begins or ends to wait; `waiting` of it do now.
  void Waiting(const std::string& flow, size_t waiting);

  // Held against what was expected.
  void Judge(Report* report) const;

 private:
  void CountGap();
  void JudgeFairness(const Report& report, std::vector<std::string>* failures) const;
  void JudgeRelease(std::vector<std::string>* failures) const;

  static constexpr uint64_t kIdleWakesMax = 1000;

  const Scenario& scenario_;
  SystemTime start_;
  uint64_t idle_wakes_ = 0;  // in a row
  std::vector<std::string> failures_;
  uint64_t failed_ = 0;
  std::map<std::string, size_t> waiting_;
  std::map<std::string, double> served_;  // while all flows waited
  bool not_all_waited_ = true;
  SystemTime last_served_{};
  double widest_gap_ = 0;
  int probes_ = 0;                          // of the breaker that are out
  std::optional<SystemTime> closed_until_;  // nobody goes before
  Micros longest_wait_{};
  std::vector<SystemTime> released_;  // of those who waited for 1 s at least
};

std::string Text(const guard::KeyView& view);

}  // namespace apiquota::world
