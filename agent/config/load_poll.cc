// What the agent does by itself for an api: polling it, and counting what it does not say.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/loader.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

constexpr size_t kPathBytesMax = 2048;
constexpr size_t kLimitsMax = 16;
constexpr int64_t kLimitMax = 1'000'000'000'000;

std::string LoadPollPath(const YamlValue& value) {
  std::string path = value.AsString();
  const bool good = path.starts_with('/') && path.size() <= kPathBytesMax &&
                    std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  // A query may hold a credential: the value is not repeated.
  if (value.IsScalar() && !good) value.Fail("expected a path under the base URL, such as /v1/models");
  return path;
}

}  // namespace

void LoadPoll(const YamlValue& value, const Loader& loader, apis::ApiOptions* api) {
  if (!value.Present()) return;
  apis::PollOptions& poll = api->poll.emplace();
  YamlMap map = value.AsMap();
  LoadTime(map, "every", std::chrono::seconds(1), std::chrono::days(1), &poll.every);
  if (const YamlValue jitter = map.Get("jitter"); jitter.Present()) poll.jitter = LoadShare(jitter, 0, 50);
  if (const YamlValue method = map.Get("method"); method.Present()) {
    constexpr std::pair<std::string_view, std::string_view> kMethods[] = {{"GET", "GET"}, {"HEAD", "HEAD"}};
    poll.method = method.AsEnum<std::string_view>(kMethods);
  }
  if (const YamlValue path = map.Get("path"); path.Present()) poll.path = LoadPollPath(path);
  map.Finish();
  if (poll.path.empty() && Contains(loader.context.exporters, api->exporter) &&
      !Contains(loader.context.exporters_with_poll, api->exporter)) {
    value.Fail(
        fmt::format("\"path\" is missing here: exporter \"{}\" knows no endpoint to poll", api->exporter));
  }
}

std::vector<quota::DeclaredLimit> LoadLimits(const YamlValue& list) {
  std::vector<quota::DeclaredLimit> limits;
  for (const YamlValue& item : list.AsList()) {
    YamlMap map = item.AsMap();
    quota::DeclaredLimit limit;
    limit.quota = LoadName(map.Require("quota"), {});
    limit.limit = static_cast<double>(map.Require("limit").AsInteger(1, kLimitMax));
    map.Require("window");
    LoadTime(map, "window", std::chrono::seconds(1), std::chrono::days(31), &limit.window);
    map.Finish();
    if (std::ranges::find(limits, limit.quota, &quota::DeclaredLimit::quota) != limits.end()) {
      item.Fail("a second limit of this quota");
    }
    limits.push_back(std::move(limit));
  }
  if (limits.size() > kLimitsMax) list.Fail(fmt::format("expected at most {} limits", kLimitsMax));
  return limits;
}

std::vector<apis::QuotaOptions> LoadQuotas(const YamlValue& list) {
  using provider::QuotaKind;
  std::vector<apis::QuotaOptions> quotas;
  for (const YamlValue& item : list.AsList()) {
    YamlMap map = item.AsMap();
    apis::QuotaOptions options;
    options.quota = map.Require("quota").AsString();
    if (const YamlValue kind = map.Get("kind"); kind.Present())
      options.kind = kind.AsEnum<QuotaKind>(provider::kQuotaKindWords);
    if (map.Get("window").Present()) {
      options.window.emplace();
      LoadTime(map, "window", std::chrono::seconds(1), std::chrono::days(31), &*options.window);
    }
    map.Finish();
    if (!options.kind && !options.window) item.Fail("expected a kind, a window, or both");
    if (std::ranges::find(quotas, options.quota, &apis::QuotaOptions::quota) != quotas.end())
      item.Fail("a second entry of this quota");
    quotas.push_back(std::move(options));
  }
  return quotas;
}

}  // namespace apiquota::config
