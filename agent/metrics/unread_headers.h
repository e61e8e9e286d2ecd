// Names of headers that look like limits and that no rule of their api's exporter describes: how an API shows
// that it has changed. Names alone, never values; so many of an api and no more. Kept until the configuration
// is loaded again, whose exporters may describe them. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "provider/signals.h"

namespace apiquota::metrics {

class UnreadHeaders {
 public:
  static constexpr size_t kNamesMax = 20;      // of an api; those beyond are not kept
  static constexpr size_t kNameBytesMax = 64;  // longer ones are nobody's

  // `generation` is what generation() was when the exporter was chosen: others have been forgotten, and so is
  // what they find. A name that is new is told in one line.
  void Note(uint64_t generation, const std::string& api, const std::vector<provider::Unread>& unread);
  void Forget();
  uint64_t generation() const;

  std::vector<std::string> NamesOf(const std::string& api) const;  // sorted

 private:
  mutable std::mutex mutex_;
  uint64_t generation_ = 0;                             // guarded by mutex_
  std::map<std::string, std::set<std::string>> names_;  // by api; guarded by mutex_
};

// Which answers of an api are looked through for such headers, a look at every letter of every header: its
// first, and then one in so many; refusals are counted apart, being few and telling most. Costs a load and a
// store; counts that threads overwrite for each other change nothing that matters. Thread-safe.
class UnreadSampler {
 public:
  bool Due(int status) {
    const bool refusal = status >= 400;
    std::atomic<uint32_t>& count = refusal ? refusals_ : answers_;
    const uint32_t n = count.load(std::memory_order_relaxed);
    count.store(n + 1, std::memory_order_relaxed);
    return n < kFirst || n % (refusal ? kRefusalEvery : kAnswerEvery) == 0;
  }

  static constexpr uint32_t kFirst = 64;
  static constexpr uint32_t kAnswerEvery = 64;
  static constexpr uint32_t kRefusalEvery = 16;

 private:
  std::atomic<uint32_t> answers_{0};
  std::atomic<uint32_t> refusals_{0};
};

}  // namespace apiquota::metrics
