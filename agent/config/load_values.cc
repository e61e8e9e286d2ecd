#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <ranges>
#include <system_error>

#include "base/duration.h"
#include "base/text.h"
#include "config/listen_address.h"
#include "config/loader.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

constexpr std::array<std::pair<std::string_view, uint64_t>, 3> kSizeUnits = {
    {{"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};

// Bytes, or so many of a unit.
std::optional<uint64_t> ParseSize(std::string_view text) {
  for (const auto& [unit, size] : kSizeUnits) {
    if (!text.ends_with(unit)) continue;
    const auto amount = ParseDigits(text.substr(0, text.size() - unit.size()));
    constexpr uint64_t kMost = 1ULL << 20;  // of the largest unit: beyond any memory
    return amount && *amount <= kMost ? std::optional(*amount * size) : std::nullopt;
  }
  return ParseDigits(text);
}

constexpr bool IsHostChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

void LoadCount(YamlMap& map, std::string_view key, int64_t min, int64_t max, size_t* out) {
  const YamlValue value = map.Get(key);
  if (value.Present()) *out = static_cast<size_t>(value.AsInteger(min, max));
}

void LoadTime(YamlMap& map, std::string_view key, Micros min, Micros max, Micros* out) {
  const YamlValue value = map.Get(key);
  if (!value.Present()) return;
  *out = value.AsDuration();
  if (*out < min || *out > max) {
    value.Fail(fmt::format("expected a duration from {} to {}", FormatDuration(min), FormatDuration(max)));
  }
}

double LoadShare(const YamlValue& value, uint64_t min, uint64_t max) {
  const std::string text = value.AsString();
  const bool percent = text.ends_with('%');
  const auto amount = percent ? ParseDigits(std::string_view(text).substr(0, text.size() - 1)) : std::nullopt;
  if (amount && *amount >= min && *amount <= max) return static_cast<double>(*amount) / 100;
  if (value.IsScalar()) value.Fail(fmt::format("expected a share from {}% to {}%", min, max));
  return 0;
}

std::string FormatSize(uint64_t bytes) {
  for (const auto& [unit, size] : kSizeUnits | std::views::reverse) {
    if (bytes >= size && bytes % size == 0) return fmt::format("{}{}", bytes / size, unit);
  }
  return fmt::format("{}", bytes);
}

void LoadSize(YamlMap& map, std::string_view key, uint64_t min, uint64_t max, size_t* out) {
  const YamlValue value = map.Get(key);
  if (!value.Present()) return;
  const std::string text = value.AsString();
  const auto bytes = ParseSize(text);
  if (bytes && *bytes >= min && *bytes <= max) {
    *out = static_cast<size_t>(*bytes);
  } else if (bytes) {
    value.Fail(fmt::format("expected a size from {} to {}", FormatSize(min), FormatSize(max)));
  } else if (value.IsScalar()) {
    value.Fail("expected a size such as 65536, 64KiB or 1MiB");
  }
}

std::string LoadName(const YamlValue& value, std::initializer_list<std::string_view> reserved) {
  std::string name = value.AsString();
  if (value.IsScalar() && !IsName(name)) {
    value.Fail(fmt::format("expected {}", kNameExpected));
  } else if (std::ranges::find(reserved, name) != reserved.end()) {
    value.Fail(
        fmt::format("the name \"{}\" has a meaning of its own in the metrics; expected another one", name));
  }
  return name;
}

net::ListenAddress LoadListenAddress(const YamlValue& value) {
  const std::string text = value.AsString();
  if (const auto address = ParseListenAddress(text)) return *address;
  if (value.IsScalar()) value.Fail(fmt::format("expected {}", kListenAddressExpected));
  return {};
}

std::vector<std::string> LoadHosts(const YamlValue& value) {
  std::vector<std::string> hosts;
  for (const YamlValue& item : value.AsList()) {
    const std::string host = ToLower(item.AsString());
    const bool good = !host.empty() && host.size() <= 253 && std::ranges::all_of(host, IsHostChar);
    if (item.IsScalar() && !good) item.Fail("expected a host name without a port, such as agent.example.com");
    hosts.push_back(host);
  }
  return hosts;
}

std::string LoadPath(const YamlValue& value, const Loader& loader) {
  if (!value.Present()) return "";
  std::string path = value.AsString();
  if (value.IsScalar() && path.empty()) value.Fail("expected a path");
  return path.starts_with('/') ? path : loader.directory + path;
}

void CheckReadable(const YamlValue& value, const std::string& path) {
  if (!value.Present() || access(path.c_str(), R_OK) == 0) return;
  value.Fail(fmt::format("cannot read the file named here: {}", std::generic_category().message(errno)));
}

}  // namespace apiquota::config
