#include "app/state_file.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "app/files.h"
#include "base/log.h"

namespace apiquota::app {

namespace {

constexpr size_t kSetAsideMax = 5;

// All but the newest of what begins with `prefix`, which ends in the folder of the files; their names sort by
// time.
void RemoveOldest(const std::filesystem::path& prefix) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  const std::filesystem::path folder = prefix.has_parent_path() ? prefix.parent_path() : ".";
  for (auto at = std::filesystem::directory_iterator(folder, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (at->path().filename().string().starts_with(prefix.filename().string())) found.push_back(at->path());
  }
  std::ranges::sort(found);
  for (size_t i = 0; i + kSetAsideMax < found.size(); ++i) std::filesystem::remove(found[i], error);
}

}  // namespace

void StateFile::Restore(quota::Ledger& ledger, SystemTime now) {
  if (path_.empty()) return;
  RestoreFrom(path_, [&](const std::string& text) { return ledger.Restore(text, now); }, now);
}

void StateFile::Restore(guard::Guard& guard, const RunningTime& now) {
  if (path_.empty()) return;
  RestoreFrom(
      guard_path(), [&](const std::string& text) { return guard.Restore(text, now.at, now.system_ahead); },
      now.at);
}

void StateFile::RestoreFrom(const std::string& path, const Read& read, SystemTime now) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return;
  const Result<std::string> text = ReadWholeFile(path);
  const Status restored = text ? read(*text) : std::unexpected(text.error());
  if (restored) return;
  const std::string prefix = path + ".corrupt-";
  const std::string aside = prefix + std::to_string(now.time_since_epoch().count());
  const bool moved = std::rename(path.c_str(), aside.c_str()) == 0;
  Log(LogLevel::kWarn, "state_set_aside",
      {{"file", path}, {"error", restored.error().message}, {"kept_as", moved ? aside : path}});
  RemoveOldest(prefix);
}

void StateFile::Save(const quota::Ledger& ledger, const RunningTime& now) {
  if (!path_.empty()) SaveTo(path_, ledger.Save(now.at, now.system_ahead), &failing_);
}

void StateFile::Save(const guard::Guard& guard, const RunningTime& now) {
  if (!path_.empty()) SaveTo(guard_path(), guard.Save(now.at, now.system_ahead), &guard_failing_);
}

void StateFile::SaveTo(const std::string& path, const std::string& text, bool* failing) {
  const Status saved = WriteFileAtomically(path, text);
  if (!saved && !*failing) Log(LogLevel::kWarn, "state_not_saved", {{"error", saved.error().message}});
  if (saved && *failing) Log(LogLevel::kInfo, "state_saved_again", {{"file", path}});
  *failing = !saved;
}

}  // namespace apiquota::app
