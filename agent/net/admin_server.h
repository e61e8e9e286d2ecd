// The admin side: a few threads of civetweb behind a door of our own (admin_door.h), in front of handlers
// that are plain functions.
//
// A slow, broken or hostile client never meets civetweb: the door reads and judges requests in an event loop
// and passes on whole ones. Then a request passes the same gates before a handler sees it: a Host this
// listener answers to (403), a name and password where the web configuration asks for them (401), a known
// path (404) and method (405; HEAD is served by GET), and for methods that change something no foreign Origin
// (403). Answers carry the security headers of a page that runs no foreign script, and the web
// configuration's own; bodies are gzipped where the client accepts it. A request's own body is never read,
// and a connection that announced one is closed after the answer. Handlers run on civetweb's threads, several
// at a time and at a lower priority (nice +5). One that throws is answered with 500 and logged.
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

  uint16_t port() const;        // 0: a Unix socket
  uint16_t inner_port() const;  // of civetweb, behind the door: no upstream may be that one either

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::net
