// The admin listener: a few threads of civetweb in front of handlers that are plain functions.
//
// Every request passes the same gates before a handler sees it: a Host this listener answers to (403), no
// more header fields than civetweb can hold (431), a known path (404) and method (405; HEAD is served by
// GET), and for methods that change something no foreign Origin (403). Answers carry the security headers of
// a page that runs no foreign script; bodies are gzipped where the client accepts it. Slow clients are cut
// off (request_timeout); a request's own body is never read, and a connection that announced one is closed
// after the answer. Handlers run on the server's threads, several at a time and at a lower priority (nice
// +5). One that throws is answered with 500 and logged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/options.h"

namespace apiquota::net {

struct AdminRequest {
  std::string path;   // as sent, not decoded, without the query
  std::string query;  // without '?'
};

struct AdminResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using AdminHandler = std::function<AdminResponse(const AdminRequest&)>;

struct AdminRoute {
  std::string method;  // "GET" or "POST"
  std::string path;    // matched whole
  AdminHandler handler;
};

class AdminServer {
 public:
  // Listens and serves when it returns. Error: the address can't be listened on, in one sentence. `clock`
  // must outlive the server.
  static Result<std::unique_ptr<AdminServer>> Start(const AdminOptions& options,
                                                    std::vector<AdminRoute> routes, const Clock& clock);

  // Stops listening and waits for the handlers that run.
  ~AdminServer();

  uint16_t port() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::net
