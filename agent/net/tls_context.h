// TLS as one role's connections share it: what is spoken (1.2 or newer, no renegotiation, no compression,
// ALPN "http/1.1") and what is verified. A connection's own half is TlsEngine.
#pragma once

#include <memory>

#include "base/clock.h"
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
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsDeleter>;

// Towards upstreams: chain, host name and dates are verified. Shared by all loops; immutable once made.
class TlsClient {
 public:
  static Result<TlsClient> Create(const TlsClientOptions& options);
  ssl_ctx_st* context() const { return context_.get(); }

 private:
  TlsContext context_;
};

// Towards clients: our certificate, and theirs where it is asked for (mTLS). The files are looked at again
// when a connection comes, at most once a second; one that changed is used for handshakes from then on. A
// change that can't be used is logged once and leaves the old one in place. Connections that stand are not
// touched. A client that shows a certificate resumes no session: each handshake verifies it again.
//
// Thread-safe, shared by all loops; must outlive their connections. Looking at files blocks the caller.
class TlsServer {
 public:
  // Error: one sentence that names the file.
  static Result<std::unique_ptr<TlsServer>> Create(const TlsServerOptions& options);
  ~TlsServer();

  // For a connection that begins now.
  TlsContext Context(SteadyTime now);

 private:
  struct Impl;
  explicit TlsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::net
