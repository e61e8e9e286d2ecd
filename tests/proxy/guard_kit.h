// A real proxy in front of a scripted upstream, with a guard that wakes by itself.
#pragma once

#include <atomic>

#include "guard/guard.h"
#include "net/loop.h"
#include "proxy/guard_clock.h"
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {

inline std::string Reply(std::string_view status, std::string_view fields, std::string_view body = "{}") {
  return std::string("HTTP/1.1 ")
             .append(status)
             .append("\r\n")
             .append(fields)
             .append("Content-Length: ")
             .append(std::to_string(body.size())) +
         "\r\n\r\n" + std::string(body);
}

inline std::string Post(std::string_view fields, std::string_view body) {
  return std::string("POST /demo/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
             .append(fields)
             .append("Content-Length: ")
             .append(std::to_string(body.size())) +
         "\r\n\r\n" + std::string(body);
}

inline constexpr std::string_view kGetOnce =
    "GET /demo/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
inline constexpr std::string_view kChat = R"({"model":"gpt-5","messages":[]})";

class ProxyGuardTest : public ProxyTest {
 protected:
  ~ProxyGuardTest() override {
    proxy_.reset();
    loop_.Stop();
  }

  // Answers with these, one after the other; the last one for ever. Empty: it closes the connection.
  FakeUpstream::Script Says(std::vector<std::string> replies) {
    replies_ = std::move(replies);
    return [this](Peer& peer) {
      while (true) {
        const std::string head = peer.ReadHead();
        if (head.empty()) return;
        std::string request = head;
        if (const size_t at = head.find("Content-Length: "); at != std::string::npos)
          request += peer.Read(std::stoul(head.substr(at + 16)));
        const size_t n = asked_.fetch_add(1);
        {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
        }
        const std::string& reply = replies_[std::min(n, replies_.size() - 1)];
        if (reply.empty()) return;
        peer.Send(reply);
      }
    };
  }

  // What /v1/models and chats of "demo" are guarded by.
  void StartGuarded(const FakeUpstream& upstream, guard::Options options, const Clock& clock = RealClock()) {
    apis::ApiOptions api = Demo(upstream);
    options.mode = guard::Mode::kOn;
    api.guard = options;
    clock_.Wind(guard_);
    guard_.Configure({{.api = "demo", .pool = "demo", .options = api.guard, .declared = {}}}, Now());
    loop_.Start();
    auto proxy = Proxy::Start(options_, Routes({api}, callers_),
                              {clock, ledger_, metrics_, own_ports_, "apiquota", &guard_, &clock_});
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = std::move(*proxy);
  }

  static SystemTime Now() { return RealClock().RunningNow().at; }

  // Holds and waits, of all keys; counted once all is quiet.
  size_t Held() {
    size_t held = 1;
    for (int i = 0; i < 400 && held != 0; ++i) {
      held = 0;
      for (const guard::AccountView& account : guard_.View(Now())) {
        held += account.view.in_flight;
        for (const auto& queue : account.view.queues) held += queue.depth;
        for (const auto& limit : account.view.limits) held += limit.reserved > 0 ? 1 : 0;
      }
      if (held != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return held;
  }

  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t asked() const { return asked_; }

  std::vector<apis::CallerOptions> callers_;
  net::Loop loop_{RealClock()};
  GuardClock clock_{loop_};
  guard::Guard guard_{clock_};
  std::vector<std::string> replies_;
  std::atomic<size_t> asked_{0};
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

}  // namespace apiquota::proxy
