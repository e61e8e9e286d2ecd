// `apiquota simulate`: a rate-limited API in one process. It speaks the dialect of an exporter file: limits,
// remaining and resets in that API's headers and formats, its throttle status and body, a truthful
// Retry-After. What it enforces may be of another kind than what it says, and it may say it badly. For demos,
// for testing one's own clients and alert routing, and as a judge of whoever protects an API: at the end it
// tells the truth.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/options.h"
#include "provider/exporter.h"
#include "simulate/limit_options.h"
#include "simulate/manner.h"

namespace apiquota::simulate {

struct SimulateOptions {
  net::ListenAddress listen{"127.0.0.1", 0};  // --listen

  // --quota NAME[=LIMIT][/WINDOW][,KIND], repeatable: what is announced and enforced. Empty: every quota that
  // the exporter file names in full, or else one of those whose name is the API's choice.
  std::vector<std::string> quotas = {};
  double limit = 60;                  // --limit: of each quota that has none of its own
  std::optional<Micros> window = {};  // --window: until all is back (fixed) or an empty bucket is full;
                                      // default: what the exporter file says, else 60s
  std::string throttle = {};          // --throttle: the scope of refusals; default: primary if there is one
  bool ietf = false;                  // --ietf: RateLimit and RateLimit-Policy, where the API knows both ways
  double cost = 1;                    // --cost: of one request in quotas not counted in requests
  std::string resource = {};          // --resource: announced where the API names it in a header

  std::optional<LimitKind> kind = {};  // --kind: enforced, of quotas that have none of their own; default:
                                       // what the exporter file says
  double burst = 0;                    // --burst: what buckets hold; 0: their limits
  std::optional<Micros> sub_limit =
      {};                      // --sub-limit: each limit's share holds for each such part of its window
  bool count_refused = false;  // --count-refused: a refused call costs what an admitted one does
  Micros penalty{0};           // --penalty: for each call that comes before it was told to
  LimitScope scope = LimitScope::kAll;        // --scope: whether keys or addresses are counted apart
  std::optional<Charge> tokens_charged = {};  // --tokens-charged: tokens are counted by the request, and when
  double output_share = 0.5;                  // --output-share: of its cap on output, what an answer takes

  Manner manner = {};  // --skew, --round-remaining, --round-reset, --headerless
  std::vector<std::string> failures =
      {};               // --fail STATUS:SHARE, repeatable: answered so, whatever the limits
  double bare_429 = 0;  // --bare-429: share of calls that are refused without evidence
  std::optional<Micros> retry_after = {};  // --retry-after: said on every refusal, instead of the truth

  std::string path = "/";  // --path: other paths are answered 404 and cost nothing
  Micros latency{0};       // --latency: before the first byte
  bool identity = false;   // --identity: replies are never compressed, whatever the client accepts
  bool sse = false;        // --sse: every reply is an event stream, not only when asked for
  int chunks = 20;         // --chunks: events in a stream
  Micros chunk_interval = std::chrono::milliseconds(100);  // --chunk-interval: between two of them
};

inline constexpr std::string_view kLimitKindExpected =
    "one of fixed, aligned, sliding, elastic, bucket, concurrency is expected";

// Prints "listening on ADDRESS:PORT" to `out` and serves until SIGINT or SIGTERM, then prints the truth it
// enforced (simulate/truth.h), one line of JSON. Meanwhile that stands at /_simulate/truth, of the first N
// seconds since the first call at /_simulate/truth?seconds=N, and what it did at /_simulate/stats. Returns
// the exit code; 2 after one sentence on `err` when an option is impossible or the port in use.
int RunSimulate(const SimulateOptions& options, const provider::Exporter& exporter, const Clock& clock,
                std::ostream& out, std::ostream& err);

}  // namespace apiquota::simulate
