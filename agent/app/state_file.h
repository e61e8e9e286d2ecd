// Over a restart: the ledger's readings (state.file), and beside them, in a file of its own
// (<state.file>.guard), what the guard knows of sends and cooldowns. Nothing that goes wrong here stops the
// agent: it is logged. Not thread-safe: belongs to main's thread.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "guard/guard.h"
#include "quota/ledger.h"

namespace apiquota::app {

class StateFile {
 public:
  // `path` empty: nothing is kept, and no call does anything.
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  // A file that can't be read, or is not what Save wrote, is set aside as <path>.corrupt-<time>, so that the
  // next Save does not destroy it. The newest five of those are kept.
  void Restore(quota::Ledger& ledger, SystemTime now);
  void Save(const quota::Ledger& ledger, const RunningTime& now);

  // The guard's part; before anybody asks it.
  void Restore(guard::Guard& guard, const RunningTime& now);
  void Save(const guard::Guard& guard, const RunningTime& now);

 private:
  using Read = std::function<Status(const std::string& text)>;
  static void RestoreFrom(const std::string& path, const Read& read, SystemTime now);
  static void SaveTo(const std::string& path, const std::string& text, bool* failing);
  std::string guard_path() const { return path_ + ".guard"; }

  std::string path_;
  bool failing_ = false;        // the last Save failed: say so once
  bool guard_failing_ = false;  // … of the guard
};

}  // namespace apiquota::app
