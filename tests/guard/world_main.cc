// guard_world: runs worlds drawn from seeds and says which invariants of docs/guard.md they broke.
//   guard_world [--family NAME|all] [--seed FIRST] [--seeds COUNT] [--hours H] [--verbose] [--trace]
// Without arguments: the seeds that every build runs. A failure prints the command that repeats it.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "world.h"
#include "world_families.h"

namespace apiquota::world {
namespace {

struct Arguments {
  std::string family;  // empty: those of every build; "all": all
  uint64_t seed = 1;
  uint64_t seeds = 6;  // of each family
  double hours = 0;    // of each world; 0: as drawn
  bool verbose = false;
  bool trace = false;
};

struct Sum {
  uint64_t worlds = 0, failed = 0, requests = 0, attempts = 0, refused = 0, own = 0;
  double share = 0, least_share = 1, hours = 0, seconds = 0;
};

// One word with its value; false: it is not one of ours.
bool Take(std::string_view word, std::string_view value, Arguments* arguments) {
  if (word == "--family") {
    arguments->family = value;
    return value == "all" || FindFamily(value) != nullptr;
  }
  if (word == "--hours") {
    const auto hours = ParseDecimal(value);
    arguments->hours = hours.value_or(0);
    return hours.has_value();
  }
  const auto number = ParseDigits(value);
  if (!number) return false;
  if (word == "--seed") arguments->seed = *number;
  if (word == "--seeds") arguments->seeds = *number;
  return word == "--seed" || word == "--seeds";
}

std::optional<Arguments> Parse(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--verbose") {
      arguments.verbose = true;
    } else if (words[i] == "--trace") {
      arguments.trace = true;
    } else if (i + 1 == words.size() || !Take(words[i], words[i + 1], &arguments)) {
      return std::nullopt;
    } else {
      ++i;
    }
  }
  return arguments;
}

bool Wanted(const Arguments& arguments, const Family& family) {
  if (arguments.family.empty()) return family.every_build;
  return arguments.family == "all" || arguments.family == family.name;
}

void Tell(const Family& family, uint64_t seed, const Arguments& arguments, const Report& report) {
  if (report.failures.empty() && !arguments.verbose) return;
  std::string hours;
  if (arguments.hours > 0) hours = " --hours " + std::to_string(arguments.hours);
  std::printf("%s guard_world --family %s --seed %llu --seeds 1%s\n",
              report.failures.empty() ? "ok  " : "FAIL", std::string(family.name).c_str(),
              static_cast<unsigned long long>(seed), hours.c_str());
  for (const std::string& failure : report.failures) std::printf("       %s\n", failure.c_str());
  if (!arguments.verbose) return;
  std::printf(
      "       %.0f s: requests %llu, attempts %llu, served %llu, share %.4f of %s, refused %llu, "
      "own refusals %llu, left %llu, broken %llu, longest without a call %.1f s, wakes %llu, idle %llu\n",
      ToSeconds(report.length), static_cast<unsigned long long>(report.requests),
      static_cast<unsigned long long>(report.attempts), static_cast<unsigned long long>(report.served),
      report.share, report.truth.binding.c_str(), static_cast<unsigned long long>(report.api_refusals),
      static_cast<unsigned long long>(report.own_refusals), static_cast<unsigned long long>(report.left),
      static_cast<unsigned long long>(report.broken), ToSeconds(report.blocked),
      static_cast<unsigned long long>(report.wakes), static_cast<unsigned long long>(report.idle_wakes));
  for (const FlowReport& flow : report.flows) {
    std::printf("       %s: served %llu of %llu, longest wait %.1f s\n", flow.flow.c_str(),
                static_cast<unsigned long long>(flow.served), static_cast<unsigned long long>(flow.requests),
                ToSeconds(flow.longest_wait));
  }
}

void Add(const Report& report, Sum* sum) {
  ++sum->worlds;
  sum->failed += !report.failures.empty();
  sum->requests += report.requests;
  sum->attempts += report.attempts;
  sum->refused += report.api_refusals;
  sum->own += report.own_refusals;
  sum->share += report.share;
  sum->least_share = std::min(sum->least_share, report.share);
  sum->hours += ToSeconds(report.length) / 3600;
}

int Main(const Arguments& arguments) {
  const SteadyTime began = RealClock().SteadyNow();
  Sum all;
  std::printf("%-20s %7s %7s %9s %9s %8s %8s %7s %7s %8s\n", "family", "worlds", "failed", "hours",
              "attempts", "429s", "ours", "share", "least", "seconds");
  for (const Family& family : Families()) {
    if (!Wanted(arguments, family)) continue;
    Sum sum;
    for (uint64_t seed = arguments.seed; seed < arguments.seed + arguments.seeds; ++seed) {
      Scenario scenario = Draw(family, seed, arguments.hours);
      scenario.trace = arguments.trace;
      const SteadyTime started = RealClock().SteadyNow();
      const Report report = World(scenario, seed).Run();
      sum.seconds += ToSeconds(RealClock().SteadyNow() - started);
      Tell(family, seed, arguments, report);
      Add(report, &sum);
      Add(report, &all);
    }
    std::printf("%-20s %7llu %7llu %9.2f %9llu %8llu %8llu %6.1f%% %6.1f%% %8.2f\n",
                std::string(family.name).c_str(), static_cast<unsigned long long>(sum.worlds),
                static_cast<unsigned long long>(sum.failed), sum.hours,
                static_cast<unsigned long long>(sum.attempts), static_cast<unsigned long long>(sum.refused),
                static_cast<unsigned long long>(sum.own), 100 * sum.share / static_cast<double>(sum.worlds),
                100 * sum.least_share, sum.seconds);
    std::fflush(stdout);
  }
  const double seconds = ToSeconds(RealClock().SteadyNow() - began);
  std::printf("%llu worlds, %llu failed; %.1f hours in %.1f s\n", static_cast<unsigned long long>(all.worlds),
              static_cast<unsigned long long>(all.failed), all.hours, seconds);
  return all.failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace apiquota::world

int main(int count, char** words) {
  const auto arguments = apiquota::world::Parse({words + 1, words + count});
  if (!arguments) {
    std::fputs(
        "usage: guard_world [--family NAME|all] [--seed FIRST] [--seeds COUNT] [--hours H] [--verbose] "
        "[--trace]\n",
        stderr);
    return 2;
  }
  return apiquota::world::Main(*arguments);
}
