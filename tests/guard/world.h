// A world in virtual time: clients, the guard and a simulated API, joined by a list of events; no socket, no
// clock, no thread. The same scenario and seed give the same run. What must always hold (docs/guard.md) is
// checked on the way and at its end. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guard/api_guard.h"
#include "world_api.h"
#include "world_checks.h"
#include "world_random.h"
#include "world_scenario.h"
#include "world_subject.h"

namespace apiquota::world {

class World {
 public:
  World(const Scenario& scenario, uint64_t seed);

  // To the end, and on until nothing is under way any more. Once.
  Report Run();

 private:
  enum class Kind : uint8_t {
    kBegin,    // client: it asks for the first time, or its next burst comes
    kAsk,      // client: another request
    kGranted,  // call: the loop that owns it learns
    kSend,     // call: it is sent
    kArrive,   // flight: the API sees it
    kHead,     // flight: its answer's head (a document: all of it) is here
    kEnd,      // flight: its stream has ended here
    kApiEnd,   // flight: it has ended there
    kBreak,    // flight: its connection breaks
    kLeave,    // call: its client leaves
    kTimer,    // the guard's own
    kOther,    // somebody else's call at the API begins (0), or ends
    kReload,
    kRestart,
    kDrain,
  };
  struct Event {
    SystemTime at;
    uint64_t order;
    Kind kind;
    uint64_t subject;
    friend bool operator<(const Event& a, const Event& b) {  // for a queue whose top is the earliest
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  struct Call {
    size_t client = 0;
    SystemTime came, deadline;
    uint32_t home = 0;
    int attempts = 0;  // sent, or tried to
    guard::Id waiter = 0, ticket = 0;
    guard::Permit permit;
    bool probe = false;   // of the breaker
    uint64_t flight = 0;  // under way
    SystemTime sent_at;
    guard::TokenCost reserved;
    double text_bytes = 0;
    simulate::CallCost asked, actual;
  };
  struct Flight {
    uint64_t call = 0;
    std::string resource;
    SystemTime sent_at;
    simulate::CallCost asked, actual;
    Reply reply;
    Micros streams{};
    bool lost = false;  // its answer never comes
    int pending = 0;    // events that speak of it
  };

  static bool OfFlight(Kind kind);
  void At(SystemTime at, Kind kind, uint64_t subject);
  void Next();
  void Handle(const Event& event);
  void Begin(size_t client);
  void NewCall(size_t client);
  void DrawTokens(const ClientOptions& client, Call* call);
  void AskTurn(uint64_t id, bool again, SystemTime not_before);
  guard::Request AsRequest(const Call& call) const;
  void Pump(bool woken);
  void Grant(const guard::Grant& grant);
  void Granted(uint64_t id);
  bool Ill(uint64_t id);  // the breaker refuses it
  bool Enter(uint64_t id);
  void Shows(Call* call, guard::Health health);
  void Other(uint64_t call);
  void Send(uint64_t id);
  void Arrive(uint64_t flight);
  void Head(uint64_t flight);
  void Ended(uint64_t flight);
  void Break(uint64_t flight);
  void Leave(uint64_t id);
  // The answer is no good: another attempt, or the end.
  void Failed(uint64_t id, guard::RetryCause cause, const Reply* reply);
  void Refused(uint64_t id, const guard::Refusal& refusal);
  void Finish(uint64_t id, bool served, std::optional<SystemTime> again_at);
  Micros Up() { return Travel(options_.network.up, options_.network.jitter_up); }
  Micros Down() { return Travel(options_.network.down, options_.network.jitter_down); }
  Micros Travel(Micros least, Micros jitter);
  const ClientOptions& ClientOf(const Call& call) const { return options_.clients[call.client]; }
  Call* Known(uint64_t id);
  Flight* Current(uint64_t flight, Call** call);
  void Reload(uint64_t number);
  void Restart();
  void Drain();
  bool over() const { return now_ >= end_ || drained_by_; }
  void Rest();
  void Trace(const char* what, uint64_t subject, double number = 0) const;
  void CountWaiting(const Call& call, int by);

  Scenario options_;
  SystemTime start_, now_, end_;
  std::unique_ptr<Subject> subject_;
  std::shared_ptr<guard::ApiGuard> api_guard_ = std::make_shared<guard::ApiGuard>("api");
  Api api_;
  Random arrivals_, network_, habits_;
  Checks checks_;
  Report report_;
  std::priority_queue<Event> events_;
  uint64_t order_ = 0, last_call_ = 0, last_flight_ = 0;
  std::unordered_map<uint64_t, Call> calls_;
  std::unordered_map<uint64_t, Flight> flights_;
  std::unordered_map<guard::Id, uint64_t> waiters_;
  std::map<std::string_view, size_t> waiting_;          // by flow
  std::unordered_map<uint64_t, guard::Grant> granted_;  // on their way to their loops
  std::optional<SystemTime> drained_by_;
  std::optional<SystemTime> timer_;
  std::vector<guard::Grant> grants_;  // kept for its memory
};

}  // namespace apiquota::world
