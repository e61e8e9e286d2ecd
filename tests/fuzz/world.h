// One run of a session fuzzer: a server of the agent on the fake kernel, clients in front of it, upstreams
// behind, and the rules that hold whatever they do. Driven by hand: nothing moves but by Turn, Settle and
// Pass. What is being served by is a descendant's: session_world.h, admin_world.h.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "tests/fuzz/fake_kernel.h"
#include "tests/fuzz/session_peers.h"

namespace apiquota::fuzz {

class FakeClock final : public Clock {
 public:
  SystemTime SystemNow() const override;
  SteadyTime SteadyNow() const override { return FakeKernel::Get().now(); }
};

class World {
 public:
  static constexpr size_t kClients = 4;

  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World();

  void Connect(size_t client, size_t buffer, bool loopback);
  void Turn();
  void Settle();  // until nothing happens any more; then the rules are checked
  void Pass(Micros time);
  // Everybody goes, all deadlines pass, and nothing may be left but a server that still serves.
  void Leave(bool abrupt);

  // Null: it never connected.
  ClientSide* client(size_t index) { return clients_[index].get(); }
  // Of those that owe an answer, the newest first; from kAll on, and where nobody owes one, of all. Null:
  // none yet.
  static constexpr size_t kAll = 32;
  UpstreamSide* upstream(size_t index);

  // Before all else, in a world of its own: a server that refused everything would break no rule.
  void RequireService();

  bool upstreams_read = true;  // they take all there is whenever they can
  char reply_to_whole = 0;     // answered by itself with this fragment: a whole request,
  char reply_to_head = 0;      // … or one whose head has come

 protected:
  // All the deadlines that can pass until who has no client any more has ended; one after the other for
  // clients that wait for each other.
  struct Deadlines {
    Micros together;
    Micros per_client;
  };
  World(uint16_t port, HeadRule rule, Deadlines deadlines);
  void Begun();  // by the descendant's constructor, when all stands
  void Ended();  // by its destructor, when all but what it shares is gone

  virtual net::Loop& loop() = 0;
  virtual bool TurnLoops() { return loop().Turn(); }  // false: nothing happened
  virtual bool listening() const = 0;
  virtual size_t HeldPerClient() const = 0;  // what a session may hold in memory, at most
  virtual size_t HeldElse() const { return 0; }
  // How long a plain request may take where the server may also refuse it by itself; 0: it is relayed at
  // once.
  virtual Micros ServiceMayTake() const { return Micros(0); }
  virtual void CheckAtRest() {}
  virtual void CheckAfterAll() {}  // when all have left

  const std::vector<std::unique_ptr<UpstreamSide>>& upstreams() const { return upstreams_; }
  size_t attached_clients() const;
  bool met_anybody() const { return connections_ > 0; }
  const Traffic& traffic() const { return traffic_; }
  void LetRequestsBeSent(unsigned times) { traffic_.sends_max = times; }

 private:
  void Act();
  void CheckMemory() const;
  void CheckGone();

  const uint16_t port_;
  const Deadlines deadlines_;
  FakeKernel& kernel_ = FakeKernel::Get();
  Traffic traffic_;
  std::vector<std::unique_ptr<UpstreamSide>> upstreams_;
  std::vector<std::unique_ptr<ClientSide>> clients_;
  std::vector<std::unique_ptr<ClientSide>> left_;  // by their slot
  unsigned connections_ = 0;
  size_t memory_at_start_ = 0;
};

}  // namespace apiquota::fuzz
