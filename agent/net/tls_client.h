// TLS towards upstreams: what is verified (chain, host name, dates; TLS 1.2 or newer) and one
// connection's engine, which turns plain bytes into records and back without touching a socket.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/options.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace apiquota::net {

struct TlsDeleter {
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_st* connection) const;
  void operator()(ssl_session_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_session_st, TlsDeleter>;

// Shared by all loops; immutable once made.
class TlsClient {
 public:
  static Result<TlsClient> Create(const TlsClientOptions& options);
  ssl_ctx_st* context() const { return context_.get(); }

 private:
  std::unique_ptr<ssl_ctx_st, TlsDeleter> context_;
};

enum class TlsState : uint8_t {
  kHandshaking,
  kOpen,
  kClosed,          // the peer said close_notify: a whole end
  kBadCertificate,  // chain, name or dates
  kFailed,
};

// One connection. Records from the peer go in by Put, plain bytes come out by Read; what Write and
// the handshake want sent is appended to output(). Not thread-safe.
class TlsEngine {
 public:
  // SNI and verification are for `host` (a name or an IP literal). The newest session ticket is
  // kept in *session and offered the next time; both must outlive the engine.
  TlsEngine(const TlsClient& client, const std::string& host, TlsSession* session);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  TlsState state() const { return state_; }

  // Goes on with the handshake; call first with nothing put, then after each Put until the state
  // changes.
  void Handshake();

  // The engine reads from `records` until it is used up; the bytes must stay until unread() is 0.
  void Put(std::string_view records) { input_ = records; }
  size_t unread() const { return input_.size(); }

  // Plain bytes; 0: more records are needed, or the state is no longer kOpen.
  size_t Read(std::span<char> to);

  void Write(std::string_view plain);
  void Shutdown();  // close_notify

  std::string& output() { return output_; }

 private:
  friend struct TlsBio;
  void Fail();

  std::unique_ptr<ssl_st, TlsDeleter> ssl_;
  TlsSession* session_;
  std::string_view input_;
  std::string output_;
  TlsState state_ = TlsState::kHandshaking;
};

}  // namespace apiquota::net
