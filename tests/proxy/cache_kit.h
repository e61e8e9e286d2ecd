// A real proxy with a cache in front of a scripted upstream.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/caches.h"
#include "tests/proxy/guard_kit.h"

namespace apiquota::proxy {

// "HTTP/1.1 200 OK", with the body behind the blank line.
inline std::string StatusOf(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }
inline std::string BodyOf(const std::string& answer) {
  const size_t at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

inline std::string Get(std::string_view path, std::string_view fields = {}, std::string_view method = "GET") {
  return std::string(method).append(" /demo").append(path).append(
             " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n") +
         std::string(fields) + "\r\n";
}

// A cache that remembers POSTs to this path.
inline guard::CacheOptions Posts(std::string_view path) {
  guard::CacheOptions cache;
  cache.post = {{.path = std::string(path), .ttl = std::chrono::hours(1)}};
  return cache;
}

class ProxyCacheTest : public ProxyGuardTest {
 protected:
  ~ProxyCacheTest() override { proxy_.reset(); }

  // "demo" with a cache. What else the guard does is off, unless `options` says otherwise.
  void StartCached(const FakeUpstream& upstream, guard::CacheOptions cache = {},
                   guard::Options options = JustCache(), const std::vector<apis::CallerOptions>& callers = {},
                   const Clock& clock = RealClock()) {
    apis::ApiOptions api = Demo(upstream);
    options.mode = guard::Mode::kOn;
    options.cache = cache;
    api.guard = options;
    api.keys = keys_;
    StartWith({api}, callers, clock);
  }
  void StartWith(const std::vector<apis::ApiOptions>& apis,
                 const std::vector<apis::CallerOptions>& callers = {}, const Clock& clock = RealClock()) {
    clock_.Wind(guard_);
    guard_.Configure({{.api = "demo", .pool = "demo", .options = apis.front().guard, .declared = {}}}, Now());
    caches_.Configure({{.api = "demo", .origin = "here", .options = OptionsOf(*apis.front().guard.cache)}});
    loop_.Start();
    auto proxy = Proxy::Start(options_, Routes(apis, callers),
                              {clock, ledger_, metrics_, own_ports_, "apiquota", &guard_, &clock_, &caches_});
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = std::move(*proxy);
  }
  static cache::Options OptionsOf(const guard::CacheOptions& cache) {
    return {.bytes_max = cache.size, .stale_if_error = cache.stale_if_error};
  }
  static guard::Options JustCache() {
    guard::Options options;
    options.pace.mode = options.queue.mode = options.retry.mode = options.cooldown.mode = guard::Mode::kOff;
    options.cold_concurrency = 100'000;
    return options;
  }

  // Counting follows the bytes.
  void ExpectResults(const CountMap& expected) {
    CountMap counts;
    for (int i = 0; i < 400 && counts != expected; ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      counts = Counts("apiquota_cache_requests_total");
    }
    EXPECT_EQ(counts, expected);
  }

  // Until the cache has no group and nobody waits.
  cache::CacheView Quiet() {
    cache::CacheView view;
    for (int i = 0; i < 1000; ++i) {
      view = caches_.View()["demo"];
      if (view.groups == 0 && view.followers == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return view;
  }
  // Until so many wait for somebody else's answer.
  bool Follow(size_t followers) {
    for (int i = 0; i < 2000; ++i) {
      if (caches_.View()["demo"].followers == followers) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  Caches caches_;
  std::vector<apis::KeyOptions> keys_;
};

}  // namespace apiquota::proxy
