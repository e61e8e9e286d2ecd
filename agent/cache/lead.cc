// Lead of api_cache.h. What it says is told without the lock: Wake may come back to the cache.
#include <mutex>
#include <utility>
#include <vector>

#include "cache/api_cache.h"
#include "cache/api_cache_state.h"

namespace apiquota::cache {

Lead::Lead(std::shared_ptr<ApiCache> cache, Turn turn) : cache_(std::move(cache)), turn_(turn) {}

Lead::Lead(Lead&& other) noexcept : cache_(std::exchange(other.cache_, nullptr)), turn_(other.turn_) {}

Lead& Lead::operator=(Lead&& other) noexcept {
  if (this == &other) return *this;
  Fail();
  cache_ = std::exchange(other.cache_, nullptr);
  turn_ = other.turn_;
  return *this;
}

Lead::~Lead() { Fail(); }

bool Lead::Followed() const {
  if (!cache_) return false;
  const std::lock_guard lock(cache_->state_->mutex);
  return cache_->state_->groups.Followed(turn_);
}

void Lead::Share(const AnswerPtr& answer) {
  const std::shared_ptr<ApiCache> cache = std::exchange(cache_, nullptr);
  if (!cache) return;
  std::vector<Follower> followers;
  {
    const std::lock_guard lock(cache->state_->mutex);
    followers = cache->state_->groups.End(turn_);
  }
  for (const Follower& follower : followers) {
    cache->Tell(follower, {.kind = Outcome::Kind::kAnswer, .answer = answer, .lead = {}});
  }
}

void Lead::Scatter(SystemTime now) {
  const std::shared_ptr<ApiCache> cache = std::exchange(cache_, nullptr);
  if (!cache) return;
  std::vector<Follower> followers;
  {
    const std::lock_guard lock(cache->state_->mutex);
    followers = cache->state_->groups.Scatter(turn_, now);
  }
  for (const Follower& follower : followers) cache->Tell(follower, {});
}

void Lead::Fail() {
  const std::shared_ptr<ApiCache> cache = std::exchange(cache_, nullptr);
  if (!cache) return;
  std::optional<std::pair<Follower, Turn>> next;
  {
    const std::lock_guard lock(cache->state_->mutex);
    next = cache->state_->groups.Fail(turn_);
  }
  if (!next) return;
  cache->Tell(next->first,
              {.kind = Outcome::Kind::kLead, .answer = nullptr, .lead = Lead(cache, next->second)});
}

}  // namespace apiquota::cache
