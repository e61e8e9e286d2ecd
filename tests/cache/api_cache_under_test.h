// A cache whose followers' outcomes are gathered: each test takes them as it likes. Thread-safe, as a Rim is.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cache/api_cache.h"
#include "tests/cache/ask.h"

namespace apiquota::cache {

struct Told {
  Follower follower;
  Outcome outcome;
};

class GatheringRim final : public Rim {
 public:
  void Wake(Follower follower, Outcome outcome) override {
    const std::lock_guard lock(mutex_);
    told_.push_back({follower, std::move(outcome)});
  }
  std::vector<Told> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Told> told_;
};

struct CacheUnderTest {
  explicit CacheUnderTest(const Options& options = {}) : cache(std::make_shared<ApiCache>(options, rim)) {}

  Found Find(const Asked& asked, SystemTime now = kNow) { return cache->Find(*asked, now); }
  Use UseOf(const Asked& asked, SystemTime now = kNow) { return Find(asked, now).use; }
  AnswerPtr ForError(const Asked& asked, SystemTime now = kNow) { return cache->FindForError(*asked, now); }
  // As if it had been asked for, and come, at `at`.
  void Keep(const Asked& asked, Lines lines, std::string body = "body", SystemTime at = kNow) {
    cache->Keep(*asked, Kept(asked, HeadOf(200, lines), std::move(body), at));
  }
  void Invalidate(const Asked& asked, int status = 200, Lines lines = {}, SystemTime now = kNow) {
    cache->Invalidate(*asked, HeadOf(status, lines), "api.example", now);
  }
  std::string BodyOf(const Asked& asked, SystemTime now = kNow) {
    const Found found = Find(asked, now);
    return found.use == Use::kServe ? found.answer->body : "";
  }

  GatheringRim rim;
  std::shared_ptr<ApiCache> cache;
};

}  // namespace apiquota::cache
