// Who waits for a turn, by api and caller: what a caller is told of its own waits (budget_page.h).
// Thread-safe; only requests that wait and whose caller is known pass by here, so there are as many entries
// as the configuration has had apis and callers. Outlives the waits.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace apiquota::proxy {

class CallerWaits {
 public:
  explicit CallerWaits(const Clock& clock) : clock_(clock) {}

  // One request's wait, over when it goes. Move-only.
  class Wait {
   public:
    Wait() = default;
    Wait(Wait&& other) noexcept;
    Wait& operator=(Wait&& other) noexcept;
    ~Wait() { End(); }

   private:
    friend class CallerWaits;
    Wait(CallerWaits& waits, std::pair<std::string, std::string> whose, SystemTime since)
        : waits_(&waits), whose_(std::move(whose)), since_(since) {}
    void End();

    CallerWaits* waits_ = nullptr;
    std::pair<std::string, std::string> whose_;  // api, caller
    SystemTime since_;
  };

  // A request begins to wait. REQUIRES: its caller is known.
  [[nodiscard]] Wait Begin(std::string_view api, std::string_view caller);

  struct View {
    size_t waiting = 0;
    std::optional<Micros> oldest;  // how long the one has waited that came first; nothing: nobody waits
    std::optional<Micros> last;    // how long the last wait took that is over; nothing: none is
  };
  View Of(std::string_view api, std::string_view caller) const;

 private:
  struct Entry {
    std::multiset<SystemTime> since;
    std::optional<Micros> last;
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;  // guarded by mutex_
};

}  // namespace apiquota::proxy
