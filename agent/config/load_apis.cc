#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/loader.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

constexpr size_t kLabelsMax = 16;
constexpr size_t kLabelBytesMax = 256;

// Labels that mean something already, on the same series or wherever rules join them on.
constexpr std::string_view kReservedLabels[] = {"api",   "exporter", "key",       "resource",
                                                "quota", "unit",     "kind",      "caller",
                                                "job",   "instance", "alertname", "severity"};

std::string LoadExporter(const YamlValue& value, const Loader& loader) {
  std::string name = value.AsString();
  if (const auto refused = loader.context.not_proxyable.find(name);
      refused != loader.context.not_proxyable.end()) {
    value.Fail(fmt::format("exporter \"{}\" can't be proxied: {}", name, refused->second));
  }
  if (!value.IsScalar() || Contains(loader.context.exporters, name)) return name;
  value.Fail(UnknownExporter(name, loader.context.exporters));
  return name;
}

void LoadBaseUrl(YamlMap& map, const Loader& loader, apis::ApiOptions* api) {
  const YamlValue value = map.Get("base_url");
  if (!value.Present()) {
    if (Contains(loader.context.exporters, api->exporter) &&
        !Contains(loader.context.exporters_with_base_url, api->exporter)) {
      map.value().Fail(
          fmt::format("\"base_url\" is missing here: exporter \"{}\" has none of its own, because every "
                      "customer has another",
                      api->exporter));
    }
    return;
  }
  api->base_url = value.AsString();
  api->base_url_by_operator = true;
  if (!value.IsScalar()) return;
  if (const Status status = loader.context.check_base_url(api->base_url); !status) {
    value.Fail(status.error().message);
  }
}

// Whole segments of unreserved characters, so that a route never needs decoding to be compared.
bool IsRoute(std::string_view route) {
  if (route == "/") return true;
  if (!route.starts_with('/') || route.size() > 256) return false;
  for (const std::string_view segment : Split(route.substr(1), '/')) {
    const bool good = std::ranges::all_of(segment, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '_' || c == '.' || c == '~';
    });
    if (segment.empty() || segment == "." || segment == ".." || !good) return false;
  }
  return true;
}

std::string LoadRoute(const YamlValue& value, const std::string& name) {
  if (!value.Present()) return "/" + name;
  std::string route = value.AsString();
  if (value.IsScalar() && !IsRoute(route)) {
    value.Fail("expected a route such as /openai, without a slash at its end");
  }
  if (route == "/-" || route.starts_with("/-/"))
    value.Fail("/- is the agent's own part of the proxy's addresses; expected another route");
  return route;
}

// Names of this machine, or those that the proxy answers to: no other Host would ever come through.
std::vector<std::string> LoadApiHosts(const YamlValue& list, const std::vector<std::string>& proxy_hosts) {
  std::vector<std::string> hosts = LoadHosts(list);
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (hosts[i].ends_with(".localhost") || Contains(proxy_hosts, hosts[i])) continue;
    list.AsList()[i].Fail(
        "expected a name under .localhost, such as openai.localhost, or one of proxy.hosts");
  }
  return hosts;
}

apis::TimeoutOptions LoadTimeouts(YamlMap map) {
  static constexpr Micros kMin = std::chrono::milliseconds(1);
  static constexpr Micros kMax = std::chrono::days(1);
  apis::TimeoutOptions timeouts;
  const auto load = [&map](std::string_view key, std::optional<Micros>* out) {
    Micros time{};
    if (!map.Has(key)) return map.Get(key), void();
    LoadTime(map, key, kMin, kMax, &time);
    *out = time;
  };
  load("connect", &timeouts.connect);
  load("tls", &timeouts.tls);
  load("first_byte", &timeouts.first_byte);
  load("idle", &timeouts.idle);
  map.Finish();
  return timeouts;
}

// A host is one api's alone, and named once.
void CheckHosts(const apis::ApiOptions& api, const std::vector<apis::ApiOptions>& others,
                const YamlValue& item) {
  for (size_t i = 0; i < api.hosts.size(); ++i) {
    const std::string& host = api.hosts[i];
    if (std::find(api.hosts.begin(), api.hosts.begin() + static_cast<std::ptrdiff_t>(i), host) !=
        api.hosts.begin() + static_cast<std::ptrdiff_t>(i))
      item.Fail("a host is named twice");
    for (const apis::ApiOptions& other : others) {
      if (Contains(other.hosts, host))
        item.Fail("another api has the same host; expected hosts of its own for each");
    }
  }
}

bool IsLabelName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 64 && letter(name[0]) && !name.starts_with("__") &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::map<std::string, std::string> LoadLabels(YamlMap map) {
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : map.Entries()) {
    if (!IsLabelName(name)) {
      value.Fail(
          "expected as the label's name letters, digits and \"_\", the first no digit, not beginning with "
          "\"__\"");
    } else if (std::ranges::find(kReservedLabels, name) != std::end(kReservedLabels)) {
      value.Fail(
          fmt::format("label \"{}\" is one of the agent's or Prometheus' own; expected another name", name));
    }
    std::string text = value.AsString();
    if (text.size() > kLabelBytesMax) value.Fail(fmt::format("expected at most {} bytes", kLabelBytesMax));
    labels.emplace(name, std::move(text));
  }
  if (labels.size() > kLabelsMax) map.value().Fail(fmt::format("expected at most {} labels", kLabelsMax));
  return labels;
}

apis::KeyOptions LoadKey(YamlMap map, const Loader& loader) {
  apis::KeyOptions key;
  key.name = LoadName(map.Require("name"), {"other", "anonymous"});
  if (const YamlValue account = map.Get("account"); account.Present()) key.account = LoadName(account, {});
  if (const YamlValue inject = map.Get("inject"); inject.Present()) {
    constexpr std::pair<std::string_view, bool> kWays[] = {{"default", true}};
    key.inject_default = inject.AsEnum<bool>(kWays);
  }
  key.value = LoadSecret(map, "value", loader);
  return key;
}

std::vector<apis::KeyOptions> LoadKeys(const YamlValue& list, const Loader& loader) {
  std::vector<apis::KeyOptions> keys;
  for (const YamlValue& item : list.AsList()) {
    apis::KeyOptions key = LoadKey(item.AsMap(), loader);
    for (const apis::KeyOptions& other : keys) {
      if (other.name == key.name) item.Fail("a second key of this name");
      if (other.inject_default && key.inject_default) {
        item.Fail("a second key with inject: default");
      }
      if (other.value.Equals(key.value.Reveal())) {
        item.Fail("another key of this api holds the same credential; expected one name for it");
      }
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

// A key can only be injected where the exporter file names a header for it.
void CheckInjectable(const YamlValue& keys, const apis::ApiOptions& api, const Loader& loader) {
  if (!Contains(loader.context.exporters, api.exporter) ||
      Contains(loader.context.exporters_with_credential, api.exporter)) {
    return;
  }
  const auto key = std::ranges::find_if(api.keys, &apis::KeyOptions::inject_default);
  if (key == api.keys.end()) return;
  YamlMap map = keys.AsList()[static_cast<size_t>(key - api.keys.begin())].AsMap();
  map.Get("inject").Fail(
      fmt::format("exporter \"{}\" knows no header for a credential: a key can't be injected", api.exporter));
}

apis::ApiOptions LoadApi(YamlMap map, const Loader& loader, const std::vector<std::string>& proxy_hosts,
                         const YamlValue& guard) {
  apis::ApiOptions api;
  api.name = LoadName(map.Require("name"), {"other"});
  api.exporter = LoadExporter(map.Require("exporter"), loader);
  LoadBaseUrl(map, loader, &api);
  api.route = LoadRoute(map.Get("route"), api.name);
  api.hosts = LoadApiHosts(map.Get("hosts"), proxy_hosts);
  api.timeouts = LoadTimeouts(map.Get("timeouts").AsSection());
  if (const YamlValue links = map.Get("rewrite_links"); links.Present()) api.rewrite_links = links.AsBool();
  api.labels = LoadLabels(map.Get("labels").AsSection());
  const YamlValue keys = map.Get("keys");
  api.keys = LoadKeys(keys, loader);
  CheckInjectable(keys, api, loader);
  LoadPoll(map.Get("poll"), loader, &api);
  api.limits = LoadLimits(map.Get("limits"));
  api.quotas = LoadQuotas(map.Get("quotas"));
  const YamlValue guards[] = {guard, map.Get("guard")};
  api.guard = LoadGuard(guards, loader);
  map.Finish();
  return api;
}

}  // namespace

std::vector<apis::ApiOptions> LoadApis(const YamlValue& list, const Loader& loader,
                                       const std::vector<std::string>& proxy_hosts, const YamlValue& guard) {
  std::vector<apis::ApiOptions> apis;
  for (const YamlValue& item : list.AsList()) {
    apis::ApiOptions api = LoadApi(item.AsMap(), loader, proxy_hosts, guard);
    CheckHosts(api, apis, item);
    for (const apis::ApiOptions& other : apis) {
      if (other.name == api.name) item.Fail("a second api of this name");
      if (other.route == api.route) {
        item.Fail("another api has the same route; expected one of its own for each");
      }
    }
    apis.push_back(std::move(api));
  }
  return apis;
}

}  // namespace apiquota::config
