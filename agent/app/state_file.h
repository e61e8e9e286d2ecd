// The ledger's readings over a restart (state.file). Nothing that goes wrong here stops the agent: it is
// logged. Not thread-safe: belongs to main's thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "quota/ledger.h"

namespace apiquota::app {

class StateFile {
 public:
  // `path` empty: nothing is kept, and both calls do nothing.
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  // A file that can't be read, or is not what Save wrote, is set aside as <path>.corrupt-<time>, so that the
  // next Save does not destroy it. The newest five of those are kept.
  void Restore(quota::Ledger& ledger, SystemTime now);
  void Save(const quota::Ledger& ledger, const RunningTime& now);

 private:
  std::string path_;
  bool failing_ = false;  // the last Save failed: say so once
};

}  // namespace apiquota::app
