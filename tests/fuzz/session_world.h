// A run of the session fuzzer: a Worker of the proxy, its clients and upstreams (world.h).
#pragma once

#include <memory>
#include <optional>

#include "proxy/options.h"
#include "proxy/worker.h"
#include "quota/ledger.h"
#include "tests/fuzz/world.h"

namespace apiquota::fuzz {

// Short deadlines, so that all of them pass within a run.
proxy::ProxyOptions ShortDeadlines();

class SessionWorld final : public World {
 public:
  explicit SessionWorld(const proxy::ProxyOptions& options);
  ~SessionWorld() override;

  void Drain();
  void Reload(bool other);

 private:
  struct Fixed;
  static Fixed& Always();

  net::Loop& loop() override { return worker_->loop(); }
  bool listening() const override { return !draining_; }
  size_t HeldPerClient() const override;
  void CheckAfterAll() override;

  Fixed& fixed_;
  quota::Ledger ledger_{quota::LedgerOptions{}};
  std::unique_ptr<proxy::Shared> shared_;
  std::optional<proxy::Worker> worker_;
  bool draining_ = false, drained_ = false;
};

}  // namespace apiquota::fuzz
