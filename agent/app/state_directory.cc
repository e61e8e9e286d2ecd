#include "app/state_directory.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "net/fingerprint.h"

namespace apiquota::app {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsWritableDirectory(const std::string& path) {
  std::error_code error;
  return !path.empty() && std::filesystem::is_directory(path, error) &&
         access(path.c_str(), W_OK | X_OK) == 0;
}

// Makes what is missing under `root`, which must be there itself.
bool MakeDirectory(const std::string& root, const std::string& path) {
  if (!IsWritableDirectory(root)) return false;
  std::error_code error;
  if (std::filesystem::create_directories(path, error)) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  return IsWritableDirectory(path);
}

}  // namespace

std::optional<std::string> FindStateDirectory() {
  const std::string systemd = Variable("STATE_DIRECTORY");
  std::string first = systemd.substr(0, systemd.find(':'));
  if (IsWritableDirectory(first)) return first;
  if (IsWritableDirectory("/var/lib/apiquota")) return "/var/lib/apiquota";
  const std::string xdg = Variable("XDG_STATE_HOME");
  if (xdg.starts_with('/') && MakeDirectory(xdg, xdg + "/apiquota")) return xdg + "/apiquota";
  const std::string home = Variable("HOME");
  std::string local = home + "/.local/state/apiquota";
  if (home.starts_with('/') && MakeDirectory(home, local)) return local;
  return std::nullopt;
}

Result<Secret> ObtainSalt(const std::string& configured) {
  if (!configured.empty()) {
    Result<Secret> salt = net::LoadOrCreateSalt(configured);
    return salt ? std::move(salt) : Fail("key_salt_file: " + salt.error().message);
  }
  std::string reason = "no state directory can be written";
  if (const auto directory = FindStateDirectory()) {
    Result<Secret> salt = net::LoadOrCreateSalt(*directory + "/key-salt");
    if (salt) return salt;
    reason = salt.error().message;
  }
  Log(LogLevel::kWarn, "key_salt_is_random",
      {{"reason", reason}, {"effect", "unknown keys get other names at every start"}});
  return net::RandomSalt();
}

}  // namespace apiquota::app
