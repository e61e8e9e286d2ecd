// What tests of the agent's own HTTP client share: scripted servers, and a client on a running loop. Header
// only.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "net/http_client.h"
#include "tests/net/peer.h"

namespace apiquota::net {

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nX-Left: 7\r\nContent-Length: 5\r\n\r\nhello";

// Answers each request on each connection with the same bytes; "" closes, "reset" resets, "hang" waits.
inline FakeUpstream::Script Answering(std::string answer) {
  return [answer](Peer& peer) {
    while (!peer.ReadHead().empty()) {
      if (answer == "reset") return peer.Reset();
      if (answer.empty()) return;
      if (answer == "hang") return static_cast<void>(peer.ReadAll());
      peer.Send(answer);
    }
  };
}

class HttpClientTest : public testing::Test {
 protected:
  ~HttpClientTest() override {
    loop_.Stop();
    client_.reset();
  }

  void Make(HttpClientOptions options = {}) {
    client_ = std::make_unique<HttpClient>(loop_, std::move(options));
    loop_.Start();
  }

  ClientRequest To(const FakeUpstream& upstream, const std::string& path = "/") {
    ClientRequest request;
    request.url = "http://" + upstream.authority() + path;
    request.private_allowed = true;
    request.on_sent = [this] { ++sent_; };
    return request;
  }

  std::future<ClientResult> Begin(ClientRequest request) {
    auto promise = std::make_shared<std::promise<ClientResult>>();
    loop_.Post([this, request = std::move(request), promise] {
      client_->Send(request, [promise](ClientResult result) { promise->set_value(std::move(result)); });
    });
    return promise->get_future();
  }
  ClientResult Ask(ClientRequest request) { return Begin(std::move(request)).get(); }

  std::optional<ClientError> ErrorOf(const std::string& answer) {
    FakeUpstream upstream(Answering(answer));
    return Ask(To(upstream)).error;
  }

  // The rule by which the codec refuses what the upstream says before it closes; "" if it does not, "error"
  // if only libcurl does.
  std::string Judged(const std::string& answer) {
    FakeUpstream upstream([answer](Peer& peer) {
      peer.ReadHead();
      peer.Send(answer);
    });
    const ClientResult result = Ask(To(upstream));
    if (result.refusal) return std::string(result.refusal->rule);
    return result.error ? "error" : "";
  }

  Loop loop_{RealClock()};
  std::unique_ptr<HttpClient> client_;
  std::atomic<int> sent_{0};
};

}  // namespace apiquota::net
