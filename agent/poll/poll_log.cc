#include "poll/poll_log.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace apiquota::poll {
namespace {

constexpr double kBurst = 20;
constexpr unsigned kRepeatEvery = 10;  // failures in a row

}  // namespace

bool PollLog::Allow(SteadyTime now) {
  const double passed = std::chrono::duration<double>(now - refilled_).count();
  tokens_ = std::min(kBurst, tokens_ + std::max(passed, 0.0));
  refilled_ = now;
  if (tokens_ < 1) {
    ++suppressed_;
    return false;
  }
  tokens_ -= 1;
  return true;
}

void PollLog::Report(const std::string& api, const std::string& key, std::string_view before,
                     const PollVerdict& verdict, int status, unsigned failures, SteadyTime now) {
  const bool news = before != verdict.result;
  const bool first = before.empty();
  if (verdict.ok() && (first || !news)) return;
  if (!news && (verdict.result == "silent" || failures == 0 || failures % kRepeatEvery != 0)) return;
  if (!Allow(now)) return;
  const std::string suppressed = std::to_string(std::exchange(suppressed_, 0));
  if (verdict.ok()) {
    return Log(LogLevel::kInfo, "poll_recovered", {{"api", api}, {"key", key}, {"suppressed", suppressed}});
  }
  Log(LogLevel::kWarn, verdict.success ? "poll_remark" : "poll_failed",
      {{"api", api},
       {"key", key},
       {"result", std::string(verdict.result)},
       {"status", status != 0 ? std::to_string(status) : ""},
       {"reason", verdict.reason},
       {"failures", std::to_string(failures)},
       {"suppressed", suppressed}});
}

}  // namespace apiquota::poll
