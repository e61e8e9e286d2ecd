// Crowds of clients that ask for the same at once, and an upstream that keeps them waiting.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/proxy/cache_kit.h"

namespace apiquota::proxy {

inline constexpr std::string_view kFields = "Cache-Control: max-age=60\r\n";

// An upstream whose answers wait until it is told to give them.
class Gate {
 public:
  void Open() { open_ = true; }
  void Pass() {
    for (int i = 0; i < 5000 && !open_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  std::atomic<bool> open_{false};
};

class ProxyCoalesceTest : public ProxyCacheTest {
 protected:
  FakeUpstream::Script Waits(Gate& gate, std::string reply) {
    return [this, &gate, reply = std::move(reply)](Peer& peer) {
      while (!peer.ReadHead().empty()) {
        asked_.fetch_add(1);
        gate.Pass();
        peer.Send(reply);
      }
    };
  }

  std::vector<Peer> Crowd(size_t size, std::string_view request) {
    std::vector<Peer> crowd;
    for (size_t i = 0; i < size; ++i) {
      crowd.push_back(Connect());
      crowd.back().Send(request);
    }
    return crowd;
  }
  // What is counted of requests whose clients have gone, once it is this.
  std::string Orphans(size_t now, uint64_t given_up) {
    cache::CacheView view;
    for (int i = 0; i < 2000; ++i) {
      view = caches_.View()["demo"];
      if (view.orphans == now && view.orphans_given_up == given_up) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return std::to_string(view.orphans) + " go on, " + std::to_string(view.orphans_given_up) +
           " were given up";
  }
  bool Asked(size_t times) {
    for (int i = 0; i < 2000 && asked_ < times; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return asked_ == times;
  }
};

}  // namespace apiquota::proxy
