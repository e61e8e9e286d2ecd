// What survives a restart: the ledger's readings (state.file) and what the guard remembers (beside it).
// Nothing that goes wrong here stops the agent: it is logged. Not thread-safe: belongs to main's thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota::app {

class StateFile {
 public:
  // `path` empty: nothing is kept, and both calls do nothing.
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  // A file that can't be read, or is not what Save wrote, is set aside as <path>.corrupt-<time>, so that the
  // next Save does not destroy it. The newest five of those are kept. `state` is a quota::Ledger or a
  // guard::Guard.
  template <class State>
  void Restore(State& state, SystemTime now) {
    const std::optional<Result<std::string>> text = Read();
    if (!text) return;
    const Status restored = *text ? state.Restore(**text, now) : std::unexpected(text->error());
    if (!restored) SetAside(restored.error(), now);
  }
  template <class State>
  void Save(const State& state, const RunningTime& now) {
    if (!path_.empty()) Write(state.Save(now.at, now.system_ahead));
  }

 private:
  std::optional<Result<std::string>> Read() const;  // nothing: there is no such file
  void SetAside(const Error& error, SystemTime now);
  void Write(const std::string& text);

  std::string path_;
  bool failing_ = false;  // the last Save failed: say so once
};

}  // namespace apiquota::app
