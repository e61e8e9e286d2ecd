// What clients of the admin side meet: an event loop of its own that reads, judges and answers them as the
// proxy does its own (server_connection.h), so that no slow or hostile client holds a thread. A request that
// is whole is passed on to the server behind, a few at a time, over loopback; its answer is relayed. Answers
// wait for slow readers in the door's memory: at unsent_bytes_max whoever is owed most is cut off.
//
// The server behind listens on a port of loopback, because the library it is made of knows no other private
// way: it answers only who shows `token`, which is drawn anew at every start and never leaves the process.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "net/basic_auth.h"
#include "net/host_names.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/server_connection.h"

namespace apiquota::net {

class AdminSession;

inline constexpr std::string_view kDoorField = "X-Apiquota-Door";

struct ServerBehind {
  uint16_t port = 0;
  std::string token;
  size_t requests_max = 8;                       // that it may be asked at a time
  size_t unsent_bytes_max = 64UL * 1024 * 1024;  // of its answers that wait for their readers
};

class AdminDoor {
 public:
  // Listens; nobody is answered before Start. `auth`, `clock` and what `options` came from must outlive the
  // door. Error: the address can't be listened on.
  static Result<std::unique_ptr<AdminDoor>> Open(const AdminOptions& options, ServerBehind behind,
                                                 BasicAuth& auth, const Clock& clock);
  ~AdminDoor();  // closes everything at once

  void Start() { loop_.Start(); }
  uint16_t port() const { return port_; }

  // For sessions, on the loop (and for whoever drives one that was never started).
  Loop& loop() { return loop_; }
  const ServerLimits& limits() const { return limits_; }
  const ServerBehind& behind() const { return behind_; }
  bool IsOurs(std::string_view authority) const;  // of an absolute-form target
  BasicAuth& auth() { return auth_; }
  bool TakeToken(SteadyTime now);  // of the rate limit
  // Asks for a turn at the server behind: AdminSession::OnTurnBehind, maybe at once; false if too many wait.
  // Those for whom a password must be hashed never use up all turns.
  bool Ask(AdminSession& session);
  void Done(AdminSession& session);  // has no turn any more, or no longer waits for one
  void Remove(AdminSession& session);

 private:
  AdminDoor(const AdminOptions& options, ServerBehind behind, BasicAuth& auth, const Clock& clock);
  void Accept(Stream stream);
  void MakeRoom();
  void CutGreediest();
  void Serve();

  const AdminOptions options_;
  const ServerBehind behind_;
  BasicAuth& auth_;
  const HostNames hosts_;
  const std::string fields_;  // of every answer
  const ServerLimits limits_;
  std::unique_ptr<TlsServer> tls_;
  Loop loop_;
  std::unique_ptr<Listener> listener_;
  uint16_t port_ = 0;
  TimerLink sessions_;  // oldest first
  size_t count_ = 0;
  std::deque<AdminSession*> waiting_;
  size_t running_ = 0;
  size_t computing_ = 0;
  double tokens_ = 0;
  SteadyTime tokens_at_;
  std::vector<std::unique_ptr<AdminSession>> graveyard_;
};

}  // namespace apiquota::net
