#include "cli/simulate_flags.h"

#include <string_view>

#include "base/duration.h"
#include "base/text.h"
#include "cli/flags.h"
#include "simulate/faults.h"

namespace apiquota::cli {
namespace {

using simulate::SimulateOptions;

std::optional<Micros> ParseSignedDuration(std::string_view text) {
  const bool behind = text.starts_with('-');
  if (behind || text.starts_with('+')) text.remove_prefix(1);
  const auto span = ParseDuration(text);
  return span && behind ? std::optional(-*span) : span;
}

// What is said: quotas, and by which words.
void AddAnnounced(CLI::App& command, SimulateOptions* options) {
  command
      .add_option("--quota", options->quotas,
                  "Announce and enforce this quota; may be given again (default: all)")
      ->type_name("NAME[=LIMIT][/WINDOW][,KIND]")
      ->allow_extra_args(false);
  AddParsed(command, "--limit", &options->limit, kNumberExpected, ParseDecimal,
            "Of quotas without one of their own (default 60)");
  AddDuration(command, "--window", &options->window, "Until all is back (default: the API's own, else 60s)");
  command
      .add_option("--throttle", options->throttle, "The kind of refusal (default: the API's first primary)")
      ->type_name("SCOPE");
  command.add_flag("--ietf", options->ietf, "Speak in RateLimit and RateLimit-Policy, if the API can");
  AddParsed(command, "--cost", &options->cost, kNumberExpected, ParseDecimal,
            "Of one request in quotas not counted in requests (default 1)");
  command
      .add_option("--resource", options->resource,
                  "What the quotas cover, where the API names it in a header")
      ->type_name("NAME");
}

// What is counted, whatever is said.
void AddEnforced(CLI::App& command, SimulateOptions* options) {
  AddWord(command, "--kind", &options->kind, simulate::kLimitKindWords,
          "How what was used comes back: fixed (from the first request), aligned (to the clock), sliding, "
          "elastic "
          "(renewed by every hit), bucket, or concurrency; default: as the API says")
      ->type_name("KIND");
  AddParsed(command, "--burst", &options->burst, kNumberExpected, ParseDecimal,
            "What a bucket holds (default: its limit)");
  AddDuration(command, "--sub-limit", &options->sub_limit,
              "Each limit's share holds for each such part of its window, too, and nobody is told");
  command.add_flag("--count-refused", options->count_refused, "A refused request costs what another does");
  AddDuration(command, "--penalty", &options->penalty,
              "How much longer to wait for each request that comes before it was told to");
  AddWord(command, "--scope", &options->scope, simulate::kLimitScopeWords,
          "Who shares one count: all, those of one key, or those of one address (default all)")
      ->type_name("SCOPE");
  AddWord(command, "--tokens-charged", &options->tokens_charged, simulate::kChargeWords,
          "Count tokens by what the request says: four bytes of its body are one, its cap on output may be "
          "used; charged at the start, or settled at the end, or charged at the end")
      ->type_name("WHEN");
  AddParsed(command, "--output-share", &options->output_share, simulate::kShareExpected, simulate::ParseShare,
            "Of the cap on output, what an answer takes where the request has no header "
            "x-simulate-output-tokens (default 50%)")
      ->type_name("SHARE");
}

// How badly it is said, and what goes wrong.
void AddFaults(CLI::App& command, SimulateOptions* options) {
  AddParsed(command, "--skew", &options->manner.skew, "a duration such as 5s or -5s", ParseSignedDuration,
            "How far the API's clock is ahead, in Date and in points of time")
      ->type_name("DURATION");
  AddParsed(command, "--round-remaining", &options->manner.remaining_step, kNumberExpected, ParseDecimal,
            "Say what is left in whole multiples of this")
      ->type_name("STEP");
  AddWord(command, "--round-reset", &options->manner.resets, simulate::kResetRoundingWords,
          "Say resets in whole seconds: up, down or nearest")
      ->type_name("WAY");
  command.add_flag("--headerless", options->manner.headerless,
                   "Say nothing of limits, and nothing of waiting");
  command.add_option("--fail", options->failures, "Answer so, whatever the limits; may be given again")
      ->type_name("STATUS:SHARE")
      ->allow_extra_args(false);
  AddParsed(command, "--bare-429", &options->bare_429, simulate::kShareExpected, simulate::ParseShare,
            "Refuse this share of requests without evidence, while others are served")
      ->type_name("SHARE");
  AddDuration(command, "--retry-after", &options->retry_after,
              "Said with every refusal, instead of the truth");
}

void AddServed(CLI::App& command, SimulateOptions* options) {
  command.add_option("--path", options->path, "The path that costs; others are answered 404 (default /)")
      ->type_name("PATH");
  AddDuration(command, "--latency", &options->latency, "Before the first byte (default 0)");
  command.add_flag("--identity", options->identity, "Never compress replies, whatever the client accepts");
  command.add_flag("--sse", options->sse, "Answer everything with an event stream");
  AddParsed(command, "--chunks", &options->chunks, kNumberExpected, ParseCount,
            "Events in a stream (default 20)");
  AddDuration(command, "--chunk-interval", &options->chunk_interval, "Between two events (default 100ms)");
}

}  // namespace

void AddSimulateFlags(CLI::App& command, SimulateOptions* options) {
  AddAnnounced(command, options);
  AddEnforced(command, options);
  AddFaults(command, options);
  AddServed(command, options);
}

}  // namespace apiquota::cli
