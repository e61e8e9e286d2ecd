// Which of many equal lines are written: the first at once, then at most one per interval, which says how
// many it stands for. Pure: `now` is a parameter. Not thread-safe: base/log.cc holds it under its lock.
// Bounded: beyond kKeysMax keys, further ones share a key per event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"

namespace apiquota {

inline constexpr Micros kFoldInterval = std::chrono::seconds(60);

class LogFolder {
 public:
  static constexpr size_t kKeysMax = 256;

  // A line that was held back, and how often it came.
  struct Held {
    LogLevel level;
    std::string_view event;
    std::vector<LogField> fields;  // as they stood when it was first held back
    uint64_t repeated;
  };

  enum class Verdict : uint8_t {
    kWrite,      // now
    kHoldFirst,  // counted; TakeDue will give it back, and NextDue may have changed
    kHoldMore,   // counted
  };

  // Names of events and fields must have static storage.
  Verdict Admit(LogLevel level, std::string_view event, std::string_view key,
                std::span<const LogField> fields, SteadyTime now);

  // The lines whose interval has ended with something held back; keys that fell silent are forgotten.
  std::vector<Held> TakeDue(SteadyTime now);
  std::vector<Held> TakeAll();

  // When TakeDue next has something to say; nothing if no line is held back.
  std::optional<SteadyTime> NextDue() const;

 private:
  struct Entry {
    SteadyTime ends;  // of its interval
    LogLevel level{};
    std::vector<LogField> fields;
    uint64_t repeated = 0;
  };
  using Id = std::pair<std::string_view, std::string>;  // event, key

  std::map<Id, Entry> entries_;
};

}  // namespace apiquota
