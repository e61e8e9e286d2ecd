// The parts of the guard that run only where they are written: concurrency, breaker, cache.
#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"
#include "config/guard_parts.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kGiB = 1024 * 1024 * kKiB;

constexpr int64_t kConcurrencyMax = 100'000;
constexpr int64_t kErrorsMax = 10'000;
constexpr int64_t kOfAtLeastMax = 100'000;
constexpr Micros kOpenMin = std::chrono::milliseconds(100);
constexpr Micros kOpenMax = std::chrono::hours(1);
constexpr uint64_t kCacheBytesMin = 64 * kKiB;  // one answer must find room
constexpr uint64_t kCacheBytesMax = 16 * kGiB;
constexpr size_t kPostMax = 64;
constexpr Micros kFreshMax = std::chrono::days(31);

guard::CacheOptions::Post LoadPost(YamlMap map) {
  guard::CacheOptions::Post post;
  post.path = LoadPathPattern(map.Require("path"));
  map.Require("ttl");
  LoadTime(map, "ttl", std::chrono::seconds(1), kFreshMax, &post.ttl);
  map.Finish();
  return post;
}

std::vector<guard::CacheOptions::Post> LoadPosts(const YamlValue& list) {
  std::vector<guard::CacheOptions::Post> posts;
  for (const YamlValue& item : list.AsList()) {
    guard::CacheOptions::Post post = LoadPost(item.AsMap());
    if (std::ranges::find(posts, post.path, &guard::CacheOptions::Post::path) != posts.end())
      item.Fail("this path stands here twice");
    posts.push_back(std::move(post));
  }
  if (posts.size() > kPostMax) list.Fail(fmt::format("expected at most {} paths", kPostMax));
  return posts;
}

}  // namespace

void LoadConcurrency(YamlMap& map, guard::ConcurrencyOptions* concurrency) {
  LoadCount(map, "max", 1, kConcurrencyMax, &concurrency->max);
  if (const YamlValue adaptive = map.Get("adaptive"); adaptive.Present())
    concurrency->adaptive = adaptive.AsBool();
}

void LoadBreaker(YamlMap& map, guard::BreakerOptions* breaker) {
  LoadCount(map, "errors", 0, kErrorsMax, &breaker->errors);
  if (const YamlValue ratio = map.Get("ratio"); ratio.Present()) breaker->ratio = LoadShare(ratio, 1, 100);
  LoadCount(map, "of_at_least", 1, kOfAtLeastMax, &breaker->of_at_least);
  LoadTime(map, "open", kOpenMin, kOpenMax, &breaker->open);
  LoadTime(map, "open_max", kOpenMin, std::chrono::days(1), &breaker->open_max);
  if (breaker->open > breaker->open_max) {
    map.value().Fail(fmt::format("open is {} and open_max {}; expected the first not to be longer",
                                 FormatDuration(breaker->open), FormatDuration(breaker->open_max)));
  }
}

void LoadCache(YamlMap& map, guard::CacheOptions* cache) {
  LoadSize(map, "size", kCacheBytesMin, kCacheBytesMax, &cache->size);
  if (const YamlValue post = map.Get("post"); post.Present()) cache->post = LoadPosts(post);
  LoadTime(map, "stale_if_error", Micros(0), kFreshMax, &cache->stale_if_error);
}

}  // namespace apiquota::config
