#include "simulate/truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace apiquota::simulate {
namespace {

using Json = nlohmann::ordered_json;

double Share(double used, double possible) { return possible > 0 ? used / possible : 0; }

// Shares to the hundred-thousandth, times to the microsecond: enough for people, and the same on every
// machine.
double Rounded(double value, double steps) { return std::round(value * steps) / steps; }

Json LimitJson(const LimitTruth& limit) {
  Json windows = Json::array();
  for (const WindowTruth& window : limit.windows) {
    windows.push_back({{"start", ToUnixSeconds(window.start)},
                       {"admitted", window.admitted},
                       {"refused", window.refused},
                       {"used", window.used}});
  }
  return {{"name", limit.name},
          {"kind", ToText(limit.kind)},
          {"unit", ToText(limit.unit)},
          {"limit", limit.limit},
          {"window_seconds", ToSeconds(limit.window)},
          {"announced", !limit.hidden},
          {"admitted", limit.admitted},
          {"refused", limit.refused},
          {"used", Rounded(limit.used, 1e6)},
          {"possible", Rounded(limit.possible, 1e6)},
          {"share", Rounded(limit.share, 1e5)},
          {"violations", limit.violations},
          {"windows", std::move(windows)},
          {"windows_left_out", limit.windows_left_out}};
}

}  // namespace

void Conclude(Truth* truth) {
  const auto bind = [&](const std::string& name, double share) {
    if (!truth->binding.empty() && share <= truth->share) return;
    truth->binding = name;
    truth->share = share;
  };
  if (truth->possible_requests) {
    bind("requests", Share(static_cast<double>(truth->totals.admitted), *truth->possible_requests));
  }
  for (LimitTruth& limit : truth->limits) {
    limit.share = Share(limit.used, limit.possible);
    truth->violations += limit.violations;
    // Of each scope its own windows, and its newest.
    std::ranges::stable_sort(limit.windows, {}, &WindowTruth::start);
    if (limit.windows.size() > kWindowsKept) {
      const auto surplus = static_cast<std::ptrdiff_t>(limit.windows.size() - kWindowsKept);
      limit.windows.erase(limit.windows.begin(), limit.windows.begin() + surplus);
      limit.windows_left_out += static_cast<uint64_t>(surplus);
    }
    const bool timed = limit.kind != LimitKind::kConcurrency;
    if (timed && limit.unit != LimitUnit::kRequests) bind(limit.name, limit.share);
  }
}

std::string ToJson(const Truth& truth) {
  Json limits = Json::array();
  for (const LimitTruth& limit : truth.limits) limits.push_back(LimitJson(limit));
  const TruthTotals& totals = truth.totals;
  const Json json = {{"seconds", truth.seconds},
                     {"first_call", totals.first_call ? Json(ToUnixSeconds(*totals.first_call)) : Json()},
                     {"asked", totals.asked},
                     {"admitted", totals.admitted},
                     {"refused", totals.refused},
                     {"penalised", totals.penalised},
                     {"failed", totals.failed},
                     {"bare_429s", totals.bare_429s},
                     {"scopes", totals.scopes},
                     {"input_tokens", totals.input_tokens},
                     {"output_tokens", totals.output_tokens},
                     {"possible_requests", truth.possible_requests ? Json(*truth.possible_requests) : Json()},
                     {"binding", truth.binding},
                     {"share", Rounded(truth.share, 1e5)},
                     {"violations", truth.violations},
                     {"limits", std::move(limits)}};
  return fmt::format("{}\n", json.dump());
}

}  // namespace apiquota::simulate
