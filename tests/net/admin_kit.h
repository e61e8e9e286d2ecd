// An admin server on a free port of loopback, with pages to ask for.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/admin_server.h"
#include "tests/net/tcp_client.h"

namespace apiquota::net {

class FixedClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return SystemTime(std::chrono::seconds(784'111'777)); }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
};

inline AdminOptions ListeningOn(const std::string& host, uint16_t port) {
  AdminOptions options;
  options.listen = {host, port};
  return options;
}

class AdminServerTest : public testing::Test {
 protected:
  void SetUp() override { Start({}); }

  void Start(AdminOptions options) {
    server_.reset();
    options.listen = {"127.0.0.1", 0};
    options.hosts.emplace_back("agent.example");
    auto server = AdminServer::Start(options, Routes(), clock_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  std::vector<AdminRoute> Routes() {
    return {
        {"GET", "/hello",
         [](const AdminRequest& request) {
           return AdminResponse{200, "text/plain; charset=utf-8", "hello " + request.query + "\n"};
         }},
        {"GET", "/a%2Fb",
         [](const AdminRequest& request) { return AdminResponse{200, "text/plain", request.path}; }},
        {"GET", "/large",
         [](const AdminRequest&) { return AdminResponse{200, "text/plain", std::string(100'000, 'x')}; }},
        {"GET", "/priority",
         [](const AdminRequest&) {
           return AdminResponse{200, "text/plain", std::to_string(getpriority(PRIO_PROCESS, 0))};
         }},
        {"GET", "/broken",
         [](const AdminRequest&) -> AdminResponse { throw std::runtime_error("out of order"); }},
        {"POST", "/-/reload",
         [this](const AdminRequest&) {
           ++reloads_;
           return AdminResponse{200, "text/plain; charset=utf-8", "reloaded\n"};
         }},
    };
  }

  std::string Ask(const std::string& request) {
    TcpClient client(server_->port());
    client.Send(request);
    return client.ReadOne();
  }

  // The status line of the answer to a request with these fields.
  std::string StatusOf(const std::string& request_line, const std::string& fields) {
    const std::string response = Ask(request_line + "\r\n" + fields + "\r\n");
    return response.substr(0, response.find("\r\n"));
  }

  FixedClock clock_;
  std::atomic<int> reloads_{0};
  std::unique_ptr<AdminServer> server_;
};

inline constexpr char kSecurity[] =
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
    "'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

inline std::string Expected(const std::string& status, const std::string& more, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n" +
         kSecurity + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace apiquota::net
