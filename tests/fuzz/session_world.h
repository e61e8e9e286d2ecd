// One run of the session fuzzer: a Worker of the proxy on the fake kernel, clients in front of it, upstreams
// behind, and the rules that hold whatever they do. Driven by hand: nothing moves but by Turn, Settle and
// Pass.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apis/route_table.h"
#include "base/clock.h"
#include "proxy/options.h"
#include "proxy/worker.h"
#include "quota/ledger.h"
#include "tests/fuzz/fake_kernel.h"
#include "tests/fuzz/session_peers.h"

namespace apiquota::fuzz {

class FakeClock final : public Clock {
 public:
  SystemTime SystemNow() const override;
  SteadyTime SteadyNow() const override { return FakeKernel::Get().now(); }
};

// Short deadlines, so that all of them pass within a run.
proxy::ProxyOptions ShortDeadlines();

class SessionWorld {
 public:
  static constexpr size_t kClients = 4;

  explicit SessionWorld(const proxy::ProxyOptions& options);
  ~SessionWorld();

  void Turn();
  void Settle();            // until nothing is left to do
  void Pass(Micros time);   // … and so on with every timer that rings in the meantime
  void Leave(bool abrupt);  // all clients go, and everything must come to rest

  void Connect(size_t client, size_t buffer, bool loopback);
  ClientSide* client(size_t index) { return clients_[index].get(); }
  // Of those that owe an answer, the newest first; from kAll on, and where nobody owes one, of all. Null:
  // none yet.
  static constexpr size_t kAll = 32;
  UpstreamSide* upstream(size_t index);

  void Drain();
  void Reload(bool other);

  bool upstreams_read = true;  // they take all there is whenever they can
  char reply_to_whole = 0;     // answered by itself with this fragment: a whole request,
  char reply_to_head = 0;      // … or one whose head has come

 private:
  struct Fixed;
  static Fixed& Always();

  void Act();
  void Check();
  void CheckMemory();
  void CheckGone();

  Fixed& fixed_;
  FakeKernel& kernel_ = FakeKernel::Get();
  quota::Ledger ledger_{quota::LedgerOptions{}};
  std::unique_ptr<proxy::Shared> shared_;
  std::optional<proxy::Worker> worker_;
  Traffic traffic_;
  std::vector<std::unique_ptr<UpstreamSide>> upstreams_;
  std::vector<std::unique_ptr<ClientSide>> clients_;
  std::vector<std::unique_ptr<ClientSide>> left_;  // by their slot
  unsigned connections_ = 0;
  bool draining_ = false, drained_ = false;
  size_t memory_at_start_ = 0;
};

}  // namespace apiquota::fuzz
