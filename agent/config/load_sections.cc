// admin, proxy and ledger: plain values with bounds.
#include <fmt/format.h>

#include "config/listen_address.h"
#include "config/loader.h"
#include "config/web_config.h"

namespace apiquota::config {
namespace {

constexpr Micros kMin = std::chrono::milliseconds(1);

// The file that `web_config_file` names.
net::WebOptions LoadWeb(YamlMap& section, const Loader& loader) {
  const YamlValue file = section.Get("web_config_file");
  if (!file.Present()) return {};
  Result<net::WebOptions> loaded = LoadWebConfigFile(LoadPath(file, loader), loader.context);
  if (loaded) return std::move(*loaded);
  file.Fail(loaded.error().message);
  return {};
}

std::vector<IpNetwork> LoadNetworks(const YamlValue& list) {
  std::vector<IpNetwork> networks;
  for (const YamlValue& item : list.AsListOrSingle()) {
    const auto network = IpNetwork::Parse(item.AsString());
    if (item.IsScalar() && !network)
      item.Fail("expected an IP address such as 10.0.0.7, or a network such as 10.0.0.0/8 or fd00::/8");
    if (network) networks.push_back(*network);
  }
  return networks;
}

}  // namespace

void LoadAdmin(YamlMap section, const Loader& loader, net::AdminOptions* admin) {
  if (const YamlValue listen = section.Get("listen"); listen.Present())
    admin->listen = LoadListenAddress(listen);
  admin->hosts = LoadHosts(section.Get("hosts"));
  admin->web = LoadWeb(section, loader);
  auto threads = static_cast<size_t>(admin->threads);
  LoadCount(section, "threads", 2, 64, &threads);
  admin->threads = static_cast<int>(threads);
  LoadTime(section, "request_timeout", kMin, std::chrono::minutes(1), &admin->request_timeout);
  section.Finish();
}

void LoadProxy(YamlMap section, const Loader& loader, proxy::ProxyOptions* proxy) {
  constexpr Micros kDay = std::chrono::days(1);
  if (const YamlValue listen = section.Get("listen"); listen.Present())
    proxy->listen = LoadListenAddress(listen);
  proxy->hosts = LoadHosts(section.Get("hosts"));
  proxy->trusted_proxies = LoadNetworks(section.Get("trusted_proxies"));
  proxy->web = LoadWeb(section, loader);
  if (const Status fits = CheckForProxy(proxy->web); !fits)
    section.Get("web_config_file").Fail(fits.error().message);
  YamlMap tls = section.Get("tls").AsSection();
  const YamlValue ca_file = tls.Get("ca_file");
  proxy->tls.ca_file = LoadPath(ca_file, loader);
  CheckReadable(ca_file, proxy->tls.ca_file);
  tls.Finish();
  auto loops = static_cast<size_t>(proxy->loops);
  LoadCount(section, "loops", 0, 256, &loops);
  proxy->loops = static_cast<int>(loops);

  LoadCount(section, "head_bytes_max", 1024, 1024 * 1024, &proxy->head_bytes_max);
  LoadCount(section, "fields_max", 16, 10'000, &proxy->fields_max);
  LoadCount(section, "target_bytes_max", 256, 1024 * 1024, &proxy->target_bytes_max);
  LoadCount(section, "buffer_high_bytes", 16 * 1024, 64 * 1024 * 1024, &proxy->buffer_high_bytes);
  LoadCount(section, "buffer_low_bytes", 4 * 1024, 64 * 1024 * 1024, &proxy->buffer_low_bytes);
  LoadCount(section, "body_rate_min", 0, 1'000'000, &proxy->body_rate_min);
  LoadCount(section, "clients_max", 1, 1'000'000, &proxy->clients_max);
  LoadCount(section, "upstream_connections_max", 1, 100'000, &proxy->upstream_connections_max);
  LoadCount(section, "upstream_queue_max", 0, 1'000'000, &proxy->upstream_queue_max);
  if (proxy->buffer_low_bytes >= proxy->buffer_high_bytes) {
    section.value().Fail(
        fmt::format("buffer_low_bytes is {} and buffer_high_bytes {}; expected the first to be lower",
                    proxy->buffer_low_bytes, proxy->buffer_high_bytes));
  }
  if (proxy->target_bytes_max > proxy->head_bytes_max) {
    section.value().Fail(
        fmt::format("target_bytes_max is {} and head_bytes_max {}; expected the target to fit the head",
                    proxy->target_bytes_max, proxy->head_bytes_max));
  }

  LoadTime(section, "head_timeout", kMin, kDay, &proxy->head_timeout);
  LoadTime(section, "client_idle_timeout", kMin, kDay, &proxy->client_idle_timeout);
  LoadTime(section, "body_idle_timeout", kMin, kDay, &proxy->body_idle_timeout);
  LoadTime(section, "tunnel_idle_timeout", kMin, kDay, &proxy->tunnel_idle_timeout);
  LoadTime(section, "connect_timeout", kMin, kDay, &proxy->connect_timeout);
  LoadTime(section, "tls_timeout", kMin, kDay, &proxy->tls_timeout);
  LoadTime(section, "first_byte_timeout", kMin, kDay, &proxy->first_byte_timeout);
  LoadTime(section, "upstream_idle_timeout", kMin, kDay, &proxy->upstream_idle_timeout);
  LoadTime(section, "pool_idle_timeout", kMin, kDay, &proxy->pool_idle_timeout);
  LoadTime(section, "drain_timeout", kMin, kDay, &proxy->drain_timeout);
  section.Finish();
}

void LoadPoller(YamlMap section, poll::PollerOptions* poller) {
  constexpr Micros kHour = std::chrono::hours(1);
  LoadCount(section, "requests_max", 1, 1000, &poller->requests_max);
  LoadTime(section, "connect_timeout", kMin, kHour, &poller->connect_timeout);
  LoadTime(section, "timeout", kMin, kHour, &poller->timeout);
  LoadCount(section, "head_bytes_max", 1024, 256 * 1024, &poller->head_bytes_max);
  LoadCount(section, "body_bytes_max", 1024, 64 * 1024 * 1024, &poller->body_bytes_max);
  section.Finish();
}

void LoadLedger(YamlMap section, quota::LedgerOptions* ledger) {
  LoadTime(section, "expire_after", kMin, std::chrono::days(31), &ledger->expire_after);
  LoadCount(section, "quotas_max", 1, 100'000, &ledger->quotas_max);
  LoadCount(section, "resources_per_key_max", 1, 10'000, &ledger->resources_per_key_max);
  LoadCount(section, "quotas_per_resource_max", 1, 10'000, &ledger->quotas_per_resource_max);
  LoadCount(section, "keys_per_api_max", 1, 10'000, &ledger->keys_per_api_max);
  section.Finish();
}

void LoadMetrics(YamlMap section, metrics::MetricsOptions* metrics) {
  LoadCount(section, "series_max", 1000, 1'000'000, &metrics->series_max);
  section.Finish();
}

}  // namespace apiquota::config
