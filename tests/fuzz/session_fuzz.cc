// rooms: proxy apis metrics guard quota provider cache net http base
// with: fake_kernel.cc fake_epoll.cc fake_system_calls.cc http_text.cc session_fragments.cc session_peers.cc
// with: session_client.cc session_mutator.cc session_run.cc world.cc session_world.cc
// The input is a script of what clients and upstreams do to a worker of the proxy: session_script.md.
#include <cstdint>
#include <memory>
#include <string_view>

#include "tests/fuzz/session_run.h"
#include "tests/fuzz/session_world.h"

namespace apiquota::fuzz {
namespace {

class SessionRun final : public Run {
 public:
  using Run::Run;

 private:
  void SetOption(char name, size_t n) override {
    if (name == 'h') {
      options_.buffer_high_bytes = Pick({256 * 1024, 4096, 16 * 1024, 1}, n);
      options_.buffer_low_bytes = options_.buffer_high_bytes / 2;
    }
    if (name == 'u') options_.upstream_connections_max = std::max<size_t>(1, n);
    if (name == 'q') options_.upstream_queue_max = n;
    if (name == 'c') options_.clients_max = std::max<size_t>(1, n);
    if (name == 'g') guarding_ = static_cast<Guarding>(n % kGuardings);
    if (name == 'H') options_.head_bytes_max = Pick({64 * 1024, 1024, 8192}, n);
  }

  std::unique_ptr<World> MakeWorld() override {
    auto world = std::make_unique<SessionWorld>(options_, guarding_);
    world_ = world.get();
    return world;
  }

  std::string_view OwnSteps() const override { return "LD"; }
  void OwnStep(char step) override { step == 'L' ? world_->Reload(script().Number() != 0) : world_->Drain(); }

  proxy::ProxyOptions options_ = ShortDeadlines();
  Guarding guarding_ = Guarding::kOff;
  SessionWorld* world_ = nullptr;
};

bool RelaysAtAll() {
  SessionWorld(ShortDeadlines(), Guarding::kOff).RequireService();
  SessionWorld(ShortDeadlines(), Guarding::kWaits).RequireService();
  SessionWorld(ShortDeadlines(), Guarding::kRepeats).RequireService();
  SessionWorld(ShortDeadlines(), Guarding::kAll).RequireService();
  return true;
}

}  // namespace
}  // namespace apiquota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool relays = apiquota::fuzz::RelaysAtAll();
  (void)relays;
  apiquota::fuzz::SessionRun({reinterpret_cast<const char*>(data), size}).Do();
  return 0;
}
