// What a world is made of, and what came of it, as values: clients, the guard's settings, the network between
// and the simulated API. All times are virtual; the same scenario and seed give the same run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/options.h"
#include "provider/signals.h"
#include "quota/options.h"
#include "simulate/enforcer.h"

namespace apiquota::world {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;

// Between the agent and the API; answers may overtake each other.
struct Network {
  Micros up = 20ms, down = 20ms;              // at least
  Micros jitter_up = 5ms, jitter_down = 5ms;  // mean of what comes on top, exponential …
  Micros jitter_most = 400ms;                 // … and bounded
  Micros rim_most = 100us;                    // between a decision and its execution
  double unsent = 0;                          // share of attempts that find no connection
  double lost_up = 0;                         // … whose connection breaks before the API has seen them
  double lost_down = 0;                       // … after
};

struct TokenHabits {
  double input = 500;             // mean of the real tokens, half to one and a half of it
  double cap = 1000;              // max_tokens
  double used = 0.3;              // mean share of the cap that the answer takes
  double tokens_per_byte = 0.25;  // of its texts
  double ratio_spread = 0;        // … up to this share more or less
  Micros stream = 0us;            // how long the answer streams, mean; 0: a document
};

struct ClientOptions {
  enum class Kind : uint8_t { kLoop, kPoisson, kBursts };
  Kind kind = Kind::kLoop;
  std::string flow = "caller";
  std::string resource;  // as its requests name it
  std::string route = "GET /v1/items";
  size_t workers = 1;     // kLoop: so many, each asks again when it has its answer
  Micros pause = 0us;     // … and has rested
  double per_second = 1;  // kPoisson
  size_t burst = 10;      // kBursts: so many at once …
  Micros every = 60s;     // … first after so long, then this often
  Micros begins = 0us;
  std::optional<Micros> timeout;  // what it gives its requests, in a header
  double leaves = 0;              // share of requests whose client leaves, at a moment up to …
  Micros leaves_within = 10s;
  uint8_t urgency = 3;
  bool poll = false;             // the agent's own: counted, never queued
  bool repeatable = true;        // GET, or a POST with a key
  bool patient = true;           // after a refusal it waits as long as it was told …
  Micros patience_most = 3600s;  // … but never longer than so
  std::optional<TokenHabits> tokens;
  bool capped = false;          // the API charges what the request says when it comes …
  bool charged_at_end = false;  // … or what it took when it has ended
};

// How an API tells of one of its limits.
struct Saying {
  enum class Reset : uint8_t { kNone, kAbsolute, kAbsoluteUp, kAbsoluteDown, kDelta, kDeltaUp, kDeltaDown };
  bool said = true;
  std::string quota = "requests";
  std::string unit = "requests";  // "ratio": what is used as a share of 1
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  bool kind_assumed = false;
  Reset reset = Reset::kAbsoluteUp;
  double remaining_step = 0;  // what is left, down to a multiple
  bool limit_said = true;
  bool remaining_said = true;
  std::optional<double> window_seconds;  // as the exporter's file knows it
  bool window_derived = false;           // … or reckons it from how fast a bucket fills
};

// Something that an API says once and that is not so.
struct Oddity {
  Micros after;                                    // the first call after so long
  std::optional<double> retry_after_seconds = {};  // it is refused with this …
  std::optional<double> remaining = {};            // … or served, and says this of its first quota,
  std::optional<double> reset_seconds = {};        // to be reset then
};

struct Outage {
  Micros from, to;  // of the run
  int status = 503;
  std::optional<double> retry_after_seconds;
  bool throttle = false;  // the exporter's file calls it one
};

struct ApiOptions {
  simulate::EnforcerOptions enforcer;
  std::vector<Saying> sayings;  // of enforcer.limits, in their order
  Micros skew = 0us;            // its clock minus ours
  bool date = true;             // in whole seconds
  bool retry_after = true;      // on its refusals, in whole seconds, rounded up
  provider::ThrottleSignal signal = provider::ThrottleSignal::kStatus;
  bool refusals_say = true;                 // refusals carry the quotas, too
  std::optional<Micros> silent_after = {};  // of the run: then it says nothing of its quotas
  bool names_resource = false;              // answers name the resource
  Micros service = 5ms;                     // mean
  double bare = 0;                          // share of calls refused without any reason or word
  double fails = 0;                         // share of calls answered with 503, no throttle
  std::vector<Outage> outages;
  std::vector<Oddity> oddities;
  double others_per_second = 0;  // calls with the same key that the guard never sees …
  Micros others_hold = 0us;      // … and how long each is under way, mean
};

struct Expect {
  bool no_api_refusals = true;
  bool no_own_refusals = false;
  bool no_early_calls = false;                 // before the time that a refusal told
  double share = 0;                            // of what was possible, at least
  double served = 0;                           // of its requests, at least so many were answered with 2xx
  double jain = 0;                             // over flows, of what they were served, at least
  std::optional<double> service_gap;           // between two flows that always wait, in requests, at most
  std::optional<Micros> blocked_at_most;       // between two calls at the API
  std::optional<Micros> longest_wait;          // in the queue, of the last client listed
  std::optional<size_t> attempts_in_outage;    // at the API
  std::optional<double> refused = {};          // by the API, share of attempts at most
  bool attempts_bounded = false;               // (1 + budgets) × requests + 3 a second
  std::optional<double> refused_at_once = {};  // share of our refusals that nobody waited for
  bool released_evenly = false;                // of those who waited for one reset
};

enum class SubjectKind : uint8_t {
  kAlone,   // one KeyGuard
  kTwins,   // two, of which one is also asked what it must refuse: they must not differ
  kShared,  // Guard, with several loops
  kNone,    // everything goes at once: what a world without a guard is like
  kModel,   // Guard beside a KeyGuard: they must not differ
};

struct Scenario {
  std::string name;
  guard::Options options;
  std::vector<quota::DeclaredLimit> declared;
  bool named_by_answer = false;
  std::vector<ClientOptions> clients;
  Network network;
  ApiOptions api;
  std::vector<Micros> reloads = {};     // of the run: its headroom changes
  std::vector<Micros> restarts = {};    // … the agent ends, and another begins with what was saved
  std::optional<Micros> drain_at = {};  // … it stops; the last half minute is for those who wait
  Micros length = 300s;
  SubjectKind subject = SubjectKind::kAlone;
  uint32_t loops = 1;
  Expect expect;
  bool trace = false;  // what happens is printed
};

struct FlowReport {
  std::string flow;
  uint64_t requests = 0, served = 0;
  Micros longest_wait{};
};

struct Report {
  std::vector<std::string> failures;  // empty: every invariant held
  simulate::Truth truth;
  double share = 0;
  uint64_t requests = 0, attempts = 0, served = 0, left = 0;
  uint64_t api_refusals = 0, own_refusals = 0, late_refusals = 0, broken = 0;
  uint64_t events = 0, wakes = 0, idle_wakes = 0;
  std::vector<FlowReport> flows;
  Micros blocked{};  // the longest time between two calls at the API
  Micros length{};
};

}  // namespace apiquota::world
