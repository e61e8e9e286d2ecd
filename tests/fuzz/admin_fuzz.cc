// rooms: net http base
// with: fake_kernel.cc fake_epoll.cc fake_system_calls.cc http_text.cc session_fragments.cc session_peers.cc
// with: session_client.cc session_mutator.cc session_run.cc world.cc admin_world.cc
// The input is a script of what clients and the server behind do to the door of the admin side:
// session_script.md.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tests/fuzz/admin_world.h"
#include "tests/fuzz/session_run.h"

namespace apiquota::fuzz {
namespace {

class AdminRun final : public Run {
 public:
  using Run::Run;

 private:
  void SetOption(char name, size_t n) override {
    net::WebOptions& web = options_.admin.web;
    if (name == 'q') options_.requests_max = std::max<size_t>(1, n);
    if (name == 'm') options_.unsent_bytes_max = Pick({64UL * 1024 * 1024, 1024, 100'000}, n);
    if (name == 'l') web.rate_limit = {.interval = std::chrono::seconds(1), .burst = std::max<size_t>(1, n)};
    if (name == 'p')
      web.users = {{"u", Secret("$2y$04$abcdefghijklmnopqrstuuD0pcVYzXb8Uo3WlqTLkqQhkNrE0J9C6")}};
  }

  std::unique_ptr<World> MakeWorld() override { return std::make_unique<AdminWorld>(options_); }

  AdminWorldOptions options_ = AdminDefaults();
};

bool RelaysAtAll() {
  AdminWorld(AdminDefaults()).RequireService();
  return true;
}

}  // namespace
}  // namespace apiquota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool relays = apiquota::fuzz::RelaysAtAll();
  (void)relays;
  apiquota::fuzz::AdminRun({reinterpret_cast<const char*>(data), size}).Do();
  return 0;
}
