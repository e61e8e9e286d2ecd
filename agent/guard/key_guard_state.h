// What a KeyGuard is made of. Internal to this room.
#pragma once

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guard/cooldown.h"
#include "guard/decision.h"
#include "guard/key_guard.h"
#include "guard/limit.h"
#include "guard/resource_memory.h"
#include "guard/retry.h"
#include "guard/slots.h"
#include "guard/token_model.h"
#include "guard/wait_queue.h"
#include "quota/clock_offset.h"

namespace apiquota::guard {

inline constexpr size_t kResourcesMax = 64;                   // of a key
inline constexpr std::string_view kSharedResource = "other";  // of those beyond
inline constexpr size_t kLimitsPerResourceMax = 32;
inline constexpr Micros kColdPatience = std::chrono::seconds(2);  // unanswered for so long counts as good
inline constexpr Micros kLongBlock = std::chrono::minutes(5);
inline constexpr Micros kRampSpan = std::chrono::seconds(2);
inline constexpr Micros kOnItsWay = std::chrono::seconds(1);
inline constexpr size_t kLostMax = 256;
inline constexpr double kShareMin = 1e-6;  // what costs nothing of a quota takes so much of a turn

// One resource of the key; that of "" speaks of all of them.
struct Place {
  std::string resource;
  std::list<Limit> limits;
  Cooldown cooldown;
  WaitQueue queue;
  bool answered = false;               // something is known of it
  std::optional<SystemTime> probe_at;  // while a limit says no for very long: when one goes in spite of it
  // After a cooldown those who wait leave one after the other.
  SystemTime ramp_next{};
  Micros ramp_gap{};
  size_t ramp_left = 0;
  uint64_t turn = 0;  // when one of its queue went last, in the order of turns

  bool idle(SystemTime now) const {  // nothing is remembered that matters
    return cooldown.idle(now) &&
           std::ranges::all_of(limits, [&](const Limit& limit) { return limit.idle(now); });
  }
};

// A ticket.
struct Flight {
  Place* place = nullptr;
  std::string route;  // where only answers name the resource
  TokenCost tokens;
  double text_bytes = 0;
  bool charged_at_start = true;  // the API counts it whole by the time its answer's head comes
  bool sent = false;
  bool answered = false;
  bool probe = false;  // of a cooldown
  SystemTime admitted_at, sent_at;
};

// The last request that went at once. Places stay as long as their KeyGuard.
struct Allowed {
  SystemTime at, deadline;
  const Place* place = nullptr;  // null: there was none
  TokenCost tokens;
  bool again = false;
};

// A request that was sent, and ended without an answer.
struct Lost {
  Id id = 0;
  SystemTime at;
  Flight flight;
};

// When a request may go, and what holds it until then.
struct Gate {
  SystemTime at{};  // the past: now
  Reason reason = Reason::kNone;
  const Limit* limit = nullptr;
  const Place* place = nullptr;
  SystemTime truth{};    // when what holds it ends, which may be later: now and then one goes in spite of it
  bool unknown = false;  // a slot's end holds it, of which nobody knows when it comes

  void Later(SystemTime other, Reason why, const Limit* limit_there, const Place* where) {
    truth = std::max(truth, other);
    if (other <= at) return;
    at = other;
    reason = why;
    limit = limit_there;
    place = where;
  }
  // As far as is known it can't go by then. A cold key's requests may be delayed, and are not refused for it.
  bool InVain(SystemTime deadline) const {
    if (reason == Reason::kCold || (reason == Reason::kConcurrency && unknown)) return false;
    return at > deadline;
  }
};

struct KeyGuard::State {
  State(Options o, const std::vector<quota::DeclaredLimit>& declared, bool by_answer, uint64_t seed);

  template <class Part>
  bool On(const Part& part) const {
    return options.ModeOf(part) == Mode::kOn;
  }
  void ConfigureSlots();
  size_t Waiting() const;

  // key_guard.cc
  void Declare(const std::vector<quota::DeclaredLimit>& declared);
  Place& PlaceFor(std::string_view resource, SystemTime now);
  bool MakeRoom(SystemTime now);
  std::string_view ResourceOf(const Request& request);
  Verdict Decide(const Request& request, Place& place, SystemTime now, Gate* gate);
  Verdict Refuse(const Gate& gate, int status, SystemTime now) const;
  Verdict Enqueue(const Request& request, Place& place, const Gate& gate, SystemTime now);
  void Push(Place& place, Waiter waiter, SystemTime now);
  Id Admit(const Request& request, Place& place, SystemTime now);

  // key_guard_gate.cc
  Gate GateFor(const Request& request, Place& place, bool behind_queue, SystemTime now);
  void AskLimits(const Request& request, Place& place, const WaitQueue* ahead, SystemTime now, Gate* gate);
  void AskCooldown(const Place& place, SystemTime now, Gate* gate) const;
  void AskCold(const Place& place, SystemTime now, Gate* gate) const;
  void AskSlots(Place& place, bool behind_queue, SystemTime now, Gate* gate);
  bool Full(Place& place, SystemTime now);                              // a slot must come free first
  std::optional<SystemTime> OthersUntil(Place& place, SystemTime now);  // when time may free one, too
  bool NeverFits(const Request& request, Place& place, Gate* gate);

  // Limits and cooldowns of "" hold for every resource.
  template <class Visit>
  void EachPlace(Place& place, const Visit& visit) {
    visit(place);
    if (&place != &places.front()) visit(places.front());
  }

  // key_guard_decisions.cc
  void NoteAllowed(const Request& request, const Place& place, SystemTime now);
  // The caller adds what only it knows: who waited before it, how long it has waited itself.
  Decision& NoteHeld(Verdict::Kind kind, const Request& request, const Place& place, const Gate& gate,
                     SystemTime now);
  Decision& NoteGivenUp(const Waiter& waiter, const Place& place, const Gate& gate, SystemTime now);
  void NoteWent(Id waiter, Micros waited);
  std::optional<Decision> LastDecision() const;

  // key_guard_answer.cc
  static void CatchUp(Limit* limit, Id id, const Flight& flight, SystemTime now);
  void Rehome(std::string_view route, std::string_view resource, SystemTime now);
  Limit* LimitFor(const provider::Reading& reading, SystemTime now);
  void Learn(const Flight& flight, Id id, const Answer& answer, SystemTime now);
  void Throttled(const Flight& flight, const Answer& answer, SystemTime now);
  void Served(const Flight& flight, SystemTime now);
  bool TooMany(const Flight& flight, const provider::Throttle& throttle, SystemTime now);
  void ProbeAnswered(const Flight& flight, SystemTime now);
  void End(Id ticket, const std::optional<TokenCost>& cost, SystemTime now);

  // key_guard_advance.cc
  void BeginRamp(Place& place, SystemTime now);
  void EndRamps();
  void NoteWaiting(SystemTime now);
  bool AdvanceOne(Place& place, SystemTime now, std::vector<Grant>* grants);
  void RefuseExpired(Place& place, SystemTime now, std::vector<Grant>* grants);

  Options options;
  const bool named_by_answer;
  bool draining = false;
  std::mt19937_64 random;
  size_t waiting_elsewhere = 0;  // for other keys of the api
  std::list<Place> places;       // the first is that of ""
  std::unordered_map<Id, Flight> flights;
  std::deque<Lost> lost;  // the newest
  quota::ClockOffsets offsets;
  ResourceMemory memory;
  TokenModels models;
  Retries retries;
  Slots slots;             // of the key as a whole
  bool at_once = false;    // some limit is on calls at a time
  uint64_t last_turn = 0;  // of a place
  Allowed last_allowed;
  std::optional<Decision> last_held;  // the last that was delayed or refused
  Id last_id = 0;
};

}  // namespace apiquota::guard
