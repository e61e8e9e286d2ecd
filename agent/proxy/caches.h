// The caches of all apis that have one, and the way to the loops whose requests wait for somebody else's
// answer. Thread-safe; outlives the proxy, whose loops are taken back (SetHomes) before they go.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cache/api_cache.h"
#include "proxy/kept_body.h"

namespace apiquota::proxy {

// A loop that owns requests which follow another. Called from any thread, with a lock held: it takes what it
// is given, and that is all.
class CacheHome {
 public:
  virtual void Take(cache::Follower follower, cache::Outcome outcome) = 0;

 protected:
  ~CacheHome() = default;
};

// Of one api.
struct CachedApi {
  std::string api;
  // What its answers come from, and what tells whose they are: base URL, exporter, its rules for credentials.
  // Once it is another, nothing of before is known.
  std::string origin;
  cache::Options options;
};

// One api's cache, with the memory of answers that are on their way into it.
struct AnswerStore {
  AnswerStore(const cache::Options& options, cache::Rim& rim)
      : answers(std::make_shared<cache::ApiCache>(options, rim)) {}

  const std::shared_ptr<cache::ApiCache> answers;
  KeptBytes filling;
  std::atomic<size_t> orphans = 0;  // as cache::CacheView says them
  std::atomic<uint64_t> orphans_given_up = 0;
};

class Caches final : public cache::Rim {
 public:
  // Answers stay where name and origin do; those of apis that have no cache any more go.
  void Configure(const std::vector<CachedApi>& apis);

  // Null: it has none. Kept by the caller as long as the configuration stays.
  std::shared_ptr<AnswerStore> For(std::string_view api) const;

  void SetHomes(std::vector<CacheHome*> homes);
  void Wake(cache::Follower follower, cache::Outcome outcome) override;

  std::map<std::string, cache::CacheView> View() const;

 private:
  struct Entry {
    std::string origin;
    std::shared_ptr<AnswerStore> store;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;  // guarded by mutex_
  std::mutex homes_mutex_;
  std::vector<CacheHome*> homes_;  // guarded by homes_mutex_
};

}  // namespace apiquota::proxy
