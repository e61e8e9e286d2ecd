#include "app/state_file.h"

#include <cstdio>
#include <filesystem>

#include "app/files.h"
#include "base/log.h"

namespace apiquota::app {

void StateFile::Restore(quota::Ledger& ledger, SystemTime now) {
  std::error_code error;
  if (path_.empty() || !std::filesystem::exists(path_, error)) return;
  const Result<std::string> text = ReadWholeFile(path_);
  if (!text) {
    Log(LogLevel::kWarn, "state_not_read", {{"error", text.error().message}});
    return;
  }
  if (const Status restored = ledger.Restore(*text, now); !restored) {
    const std::string aside = path_ + ".unreadable";
    const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
    Log(LogLevel::kWarn, "state_set_aside",
        {{"file", path_}, {"error", restored.error().message}, {"kept_as", moved ? aside : path_}});
  }
}

void StateFile::Save(const quota::Ledger& ledger, SystemTime now) {
  if (path_.empty()) return;
  const Status saved = WriteFileAtomically(path_, ledger.Save(now));
  if (!saved && !failing_) Log(LogLevel::kWarn, "state_not_saved", {{"error", saved.error().message}});
  if (saved && failing_) Log(LogLevel::kInfo, "state_saved_again", {{"file", path_}});
  failing_ = !saved;
}

}  // namespace apiquota::app
