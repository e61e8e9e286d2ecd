// A run of the admin side's fuzzer: the door (net/admin_door.h), its clients, and what the server behind it
// answers (world.h).
#pragma once

#include <memory>

#include "net/admin_door.h"
#include "net/basic_auth.h"
#include "net/options.h"
#include "tests/fuzz/world.h"

namespace apiquota::fuzz {

struct AdminWorldOptions {
  net::AdminOptions admin;
  size_t requests_max = 8;
  size_t unsent_bytes_max = 64UL * 1024 * 1024;
};

// Short deadlines, so that those that can be set pass within a run.
AdminWorldOptions AdminDefaults();

class AdminWorld final : public World {
 public:
  explicit AdminWorld(const AdminWorldOptions& options);
  ~AdminWorld() override;

 private:
  net::Loop& loop() override { return door_->loop(); }
  bool listening() const override { return true; }
  size_t HeldPerClient() const override;
  void CheckAtRest() override;

  const AdminWorldOptions options_;
  FakeClock clock_;
  net::BasicAuth auth_;
  std::unique_ptr<net::AdminDoor> door_;
};

}  // namespace apiquota::fuzz
