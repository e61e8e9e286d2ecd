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

std::optional<Result<std::string>> StateFile::Read() const {
  std::error_code error;
  if (path_.empty() || !std::filesystem::exists(path_, error)) return std::nullopt;
  return ReadWholeFile(path_);
}

void StateFile::SetAside(const Error& error, SystemTime now) {
  const std::string prefix = path_ + ".corrupt-";
  const std::string aside = prefix + std::to_string(now.time_since_epoch().count());
  const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
  Log(LogLevel::kWarn, "state_set_aside",
      {{"file", path_}, {"error", error.message}, {"kept_as", moved ? aside : path_}});
  RemoveOldest(prefix);
}

void StateFile::Write(const std::string& text) {
  const Status saved = WriteFileAtomically(path_, text);
  if (!saved && !failing_) Log(LogLevel::kWarn, "state_not_saved", {{"error", saved.error().message}});
  if (saved && failing_) Log(LogLevel::kInfo, "state_saved_again", {{"file", path_}});
  failing_ = !saved;
}

}  // namespace apiquota::app
