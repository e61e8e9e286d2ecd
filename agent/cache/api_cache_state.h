// What stands behind ApiCache, for its own files. One lock for all of it: what is held under it is a look-up
// and a few links; keys are worked out and answers freed outside.
#pragma once

#include <atomic>
#include <mutex>

#include "cache/api_cache.h"
#include "cache/groups.h"
#include "cache/store.h"

namespace apiquota::cache {

struct ApiCache::State {
  explicit State(const Options& options)
      : store(options.bytes_max), stale_if_error(options.stale_if_error.count()) {}

  AnswerPtr Find(const Question& question) {
    const Digest key = KeyOf(question);
    const std::lock_guard lock(mutex);
    return store.Find(key, *question.fields);
  }

  mutable std::mutex mutex;
  Store store;
  Groups groups;
  std::atomic<Micros::rep> stale_if_error;
  std::atomic<SystemTime> served_stale_at{SystemTime()};  // the epoch: never
};

}  // namespace apiquota::cache
