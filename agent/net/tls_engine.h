// One TLS connection's engine, for both roles: turns plain bytes into records and back without touching a
// socket. What is spoken and verified is the context's matter (tls_context.h). Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/tls_context.h"

namespace apiquota::net {

enum class TlsState : uint8_t {
  kHandshaking,
  kOpen,
  kClosed,          // the peer said close_notify: a whole end
  kBadCertificate,  // the peer's: chain, name or dates
  kFailed,
};

// Records from the peer go in by Put, plain bytes come out by Read; what Write and the handshake want sent is
// appended to output().
class TlsEngine {
 public:
  // The client's role. SNI and verification are for `host` (a name or an IP literal). The newest session
  // ticket is kept in *session and offered the next time; both must outlive the engine.
  TlsEngine(const TlsClient& client, const std::string& host, TlsSession* session);
  // The server's role.
  explicit TlsEngine(const TlsContext& server);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  TlsState state() const { return state_; }
  // Why it failed, in words of OpenSSL's or ours and none of the peer's; empty if it did not.
  std::string_view failure() const { return failure_; }

  // Goes on with the handshake; call first with nothing put, then after each Put until the state
  // changes.
  void Handshake();

  // The engine reads from `records` until it is used up; the bytes must stay until unread() is 0.
  void Put(std::string_view records) { input_ = records; }
  size_t unread() const { return input_.size(); }

  // Plain bytes; 0: more records are needed, or the state is no longer kOpen.
  size_t Read(std::span<char> to);

  // False: nothing more can be sent, and the state is kFailed or says why.
  bool Write(std::string_view plain);
  void Shutdown();  // close_notify

  std::string& output() { return output_; }

 private:
  friend struct TlsBio;
  void Attach();
  void Fail();

  std::unique_ptr<ssl_st, TlsDeleter> ssl_;
  std::string_view input_;
  std::string output_;
  TlsState state_ = TlsState::kHandshaking;
  std::string_view failure_;  // of static storage
};

}  // namespace apiquota::net
