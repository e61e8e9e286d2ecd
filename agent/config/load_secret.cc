#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/descriptor.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

constexpr size_t kSecretBytesMax = 16 * 1024;

// What a field value may carry (RFC 9110 5.5), without blanks at the ends.
bool IsCredential(std::string_view text) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return !text.empty() && visible(text.front()) && visible(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return visible(c) || c == ' '; });
}

// Neither a variable's name nor a file's enters a message: it may be the credential itself, pasted into the
// wrong place (AKIAIOSFODNN7EXAMPLE would do as both).
constexpr std::string_view kVariable = "the environment variable named here";
constexpr std::string_view kFile = "the file named here";

Secret FromEnvironment(const YamlValue& value) {
  const std::string name = value.AsString();
  if (!value.IsScalar()) return {};
  const char* text =
      name.empty() || name.find('=') != std::string::npos ? nullptr : std::getenv(name.c_str());
  if (text == nullptr) {
    value.Fail(fmt::format("{} is not set; expected it to hold a credential", kVariable));
  } else if (*text == '\0') {
    value.Fail(fmt::format("{} is empty; expected it to hold a credential", kVariable));
  } else if (!IsCredential(text)) {
    value.Fail(fmt::format("{} holds bytes that no header can carry; expected one line of visible ASCII",
                           kVariable));
  } else {
    return Secret(std::string(text));
  }
  return {};
}

// The first bytes of the file, in storage that is wiped.
Result<Secret> ReadSecretFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return Fail(std::generic_category().message(errno));
  std::string bytes(kSecretBytesMax + 1, '\0');
  size_t size = 0;
  ssize_t got = 0;
  while (size < bytes.size() && (got = read(file.get(), bytes.data() + size, bytes.size() - size)) > 0)
    size += got;
  if (got < 0) return Fail(std::generic_category().message(errno));
  bytes.resize(size);
  return Secret(std::move(bytes));
}

Secret FromFile(const YamlValue& value, const Loader& loader) {
  const std::string path = LoadPath(value, loader);
  if (!value.IsScalar() || value.AsString().empty()) return {};
  const Result<Secret> read = ReadSecretFile(path);
  if (!read) {
    value.Fail(fmt::format("cannot read {}: {}", kFile, read.error().message));
    return {};
  }
  std::string_view text = read->Reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) {
    value.Fail(fmt::format("{} is empty; expected it to hold a credential", kFile));
  } else if (text.size() > kSecretBytesMax || !IsCredential(text)) {
    value.Fail(fmt::format("{} is no credential; expected one line of visible ASCII, at most 16 KiB", kFile));
  } else {
    return Secret(std::string(text));
  }
  return {};
}

}  // namespace

Secret LoadSecret(YamlMap& map, std::string_view prefix, const Loader& loader) {
  const std::string env_key = fmt::format("{}_from_env", prefix);
  const std::string file_key = fmt::format("{}_from_file", prefix);
  const YamlValue env = map.Get(env_key);
  const YamlValue file = map.Get(file_key);
  map.Finish();  // a misspelt key explains a missing one
  if (env.Present() && file.Present()) {
    file.Fail(fmt::format("expected either {} or {}, not both", env_key, file_key));
  } else if (env.Present()) {
    return FromEnvironment(env);
  } else if (file.Present()) {
    return FromFile(file, loader);
  } else if (map.value().IsMap()) {
    map.value().Fail(fmt::format("\"{}\" or \"{}\" is missing here", env_key, file_key));
  }
  return {};
}

}  // namespace apiquota::config
