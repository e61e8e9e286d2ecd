// `apiquota simulate`: a rate-limited API in one process. It speaks the dialect of an exporter file: limits,
// remaining and resets in that API's headers and formats, its throttle status and body, a truthful
// Retry-After. For demos, for testing one's own clients and alert routing.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/options.h"
#include "provider/exporter.h"

namespace apiquota::simulate {

struct SimulateOptions {
  net::ListenAddress listen{"127.0.0.1", 0};  // --listen

  // --quota NAME[=LIMIT][/WINDOW], repeatable: what is announced and enforced. Empty: every quota that the
  // exporter file names in full, or else one of those whose name is the API's choice.
  std::vector<std::string> quotas = {};
  double limit = 60;                  // --limit: of each quota that has none of its own
  std::optional<Micros> window = {};  // --window: until all is back (fixed) or an empty bucket is full;
                                      // default: what the exporter file says, else 60s
  std::string throttle = {};          // --throttle: the scope of refusals; default: primary if there is one
  bool ietf = false;                  // --ietf: RateLimit and RateLimit-Policy, where the API knows both ways
  double cost = 1;                    // --cost: of one request in quotas not counted in requests
  std::string resource = {};          // --resource: announced where the API names it in a header

  std::string path = "/";  // --path: other paths are answered 404 and cost nothing
  Micros latency{0};       // --latency: before the first byte
  bool identity = false;   // --identity: replies are never compressed, whatever the client accepts
  bool sse = false;        // --sse: every reply is an event stream, not only when asked for
  int chunks = 20;         // --chunks: events in a stream
  Micros chunk_interval = std::chrono::milliseconds(100);  // --chunk-interval: between two of them
};

// Prints "listening on ADDRESS:PORT" to `out` and serves until SIGINT or SIGTERM. What it did is counted at
// /_simulate/stats. Returns the exit code; 2 after one sentence on `err` when an option is impossible or the
// port in use.
int RunSimulate(const SimulateOptions& options, const provider::Exporter& exporter, const Clock& clock,
                std::ostream& out, std::ostream& err);

}  // namespace apiquota::simulate
