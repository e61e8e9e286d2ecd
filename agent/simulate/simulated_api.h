// A rate-limited API as a function from requests to responses: an Enforcer decides, and the dialect of an
// exporter file says so. No sockets, no clock. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/fields.h"
#include "provider/exporter_rules.h"
#include "simulate/announce.h"
#include "simulate/dialect.h"
#include "simulate/enforcer.h"
#include "simulate/faults.h"
#include "simulate/simulate.h"
#include "simulate/token_count.h"

namespace apiquota::simulate {

struct SimulatedRequest {
  std::string_view path = "/";
  bool stream = false;                    // the client asked for events
  std::string_view key = {};              // its credential; empty: none
  std::string_view address = {};          // where it came from
  std::optional<TokenCount> tokens = {};  // where tokens are counted
};

struct SimulatedResponse {
  int status = 200;
  http::Fields fields;        // about limits only: framing, Date and content are the server's
  std::string body;           // JSON
  bool event_stream = false;  // `body` is one event of many
  std::string last_event{};   // … and this, if it is not empty, the one after them
  uint64_t call = 0;          // for End(); 0: it takes nothing
  CallCost cost{};            // … what it takes, if all of it is sent
};

// One event of a stream, as it goes over the wire. `json` may end with a line break.
std::string EventText(std::string_view json);

struct SimulatedStats {
  uint64_t requests = 0;  // all but those for /_simulate/
  uint64_t throttled = 0;
  uint64_t not_found = 0;  // outside --path
  uint64_t completed = 0;  // the response was sent whole
  uint64_t cancelled = 0;  // the client left before that
  uint64_t streams = 0;    // event streams begun
  uint64_t active = 0;     // under way now
};

class SimulatedApi {
 public:
  // `exporter` must outlive the api. Fails when a quota is not in the exporter file, or can't be said in a
  // response, or when the API never refuses in that scope.
  static Result<SimulatedApi> Create(const SimulateOptions& options, const provider::Exporter& exporter);

  // Charges all quotas, or none and answers with the throttle.
  SimulatedResponse Answer(const SimulatedRequest& request, SystemTime now);

  // Once for each answer: its response has ended, after `share` of it was sent.
  void End(const SimulatedResponse& response, double share, SystemTime now);

  // What the API says when it refuses by this rule, for so long; nothing: it does not say.
  SimulatedResponse Refuse(const provider::ThrottleRule& rule, const SimulatedRequest& request,
                           std::optional<Micros> wait, SystemTime now) const;

  // Where the exporter's credentials stand.
  const std::vector<provider::CredentialRule>& credentials() const { return exporter_.info.credentials; }
  // By which rule it refuses.
  const provider::ThrottleRule& throttle() const { return throttle_; }

  // What is announced in a response with this status to this request, as it stands.
  std::vector<SpokenQuota> Spoken(const SimulatedRequest& request, int status, SystemTime now) const;

  // The page /_simulate/stats.
  std::string StatsJson(SystemTime now) const;
  // The page /_simulate/truth: what was enforced, and what was possible from the first call until then.
  std::string TruthJson(SystemTime until) const;
  // … so long after the first call.
  std::string TruthJsonAfter(Micros span) const;

  SimulatedStats stats;

 private:
  SimulatedApi(const SimulateOptions& options, const provider::Exporter& exporter,
               std::vector<Announced> announced, Faults faults);
  const provider::ThrottleRule* RuleFor(std::string_view scope) const;
  Status ChooseThrottles();
  // The API lives by its own clock: its aligned windows end by it.
  SystemTime Theirs(SystemTime now) const { return now + options_.manner.skew; }
  LimitState StateOf(size_t limit, const Call& call, SystemTime now) const;  // by ours
  std::string TruthByTheirs(SystemTime until) const;
  Call CallOf(const SimulatedRequest& request) const;
  std::optional<Micros> ToldWait(const Verdict& verdict, const SimulatedRequest& request,
                                 SystemTime now) const;
  SimulatedResponse Fault(int status) const;
  SimulatedResponse Serve(const SimulatedRequest& request, uint64_t call, SystemTime now);
  provider::TokenUsage UsageOf(const SimulatedRequest& request) const;
  void SayState(const SimulatedRequest& request, int status, SystemTime now, ReplyWriter* reply) const;

  SimulateOptions options_;
  const provider::Exporter& exporter_;
  std::vector<Announced> announced_;  // in the order of the enforcer's limits
  Enforcer enforcer_;
  Faults faults_;
  provider::ThrottleRule throttle_;        // by which it refuses, …
  provider::ThrottleRule slots_throttle_;  // … where calls at one time are too many
};

}  // namespace apiquota::simulate
