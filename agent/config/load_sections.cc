// admin, proxy and ledger: plain values with bounds.
#include <fmt/format.h>

#include "base/duration.h"
#include "config/listen_address.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

template <class Integer>
void LoadCount(YamlMap& map, std::string_view key, int64_t min, int64_t max, Integer* out) {
  const YamlValue value = map.Get(key);
  if (value.Present()) *out = static_cast<Integer>(value.AsInteger(min, max));
}

void LoadTime(YamlMap& map, std::string_view key, Micros max, Micros* out) {
  const YamlValue value = map.Get(key);
  if (!value.Present()) return;
  *out = value.AsDuration();
  if (*out < std::chrono::milliseconds(1) || *out > max) {
    value.Fail(fmt::format("expected a duration from 1ms to {}", FormatDuration(max)));
  }
}

}  // namespace

void LoadAdmin(YamlMap section, net::AdminOptions* admin) {
  if (const YamlValue listen = section.Get("listen"); listen.Present())
    admin->listen = LoadListenAddress(listen);
  admin->hosts = LoadHosts(section.Get("hosts"));
  LoadCount(section, "threads", 2, 64, &admin->threads);
  LoadTime(section, "request_timeout", std::chrono::minutes(1), &admin->request_timeout);
  section.Finish();
}

void LoadProxy(YamlMap section, const Loader& loader, source::ProxyOptions* proxy) {
  constexpr Micros kDay = std::chrono::days(1);
  if (const YamlValue listen = section.Get("listen"); listen.Present())
    proxy->listen = LoadListenAddress(listen);
  proxy->hosts = LoadHosts(section.Get("hosts"));
  YamlMap tls = section.Get("tls").AsMap();
  const YamlValue ca_file = tls.Get("ca_file");
  proxy->tls.ca_file = LoadPath(ca_file, loader);
  CheckReadable(ca_file, proxy->tls.ca_file);
  tls.Finish();
  LoadCount(section, "loops", 0, 256, &proxy->loops);

  LoadCount(section, "head_bytes_max", 1024, 1024 * 1024, &proxy->head_bytes_max);
  LoadCount(section, "fields_max", 16, 10'000, &proxy->fields_max);
  LoadCount(section, "target_bytes_max", 256, 1024 * 1024, &proxy->target_bytes_max);
  LoadCount(section, "buffer_high_bytes", 16 * 1024, 64 * 1024 * 1024, &proxy->buffer_high_bytes);
  LoadCount(section, "buffer_low_bytes", 4 * 1024, 64 * 1024 * 1024, &proxy->buffer_low_bytes);
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

  LoadTime(section, "head_timeout", kDay, &proxy->head_timeout);
  LoadTime(section, "client_idle_timeout", kDay, &proxy->client_idle_timeout);
  LoadTime(section, "body_idle_timeout", kDay, &proxy->body_idle_timeout);
  LoadTime(section, "connect_timeout", kDay, &proxy->connect_timeout);
  LoadTime(section, "tls_timeout", kDay, &proxy->tls_timeout);
  LoadTime(section, "first_byte_timeout", kDay, &proxy->first_byte_timeout);
  LoadTime(section, "upstream_idle_timeout", kDay, &proxy->upstream_idle_timeout);
  LoadTime(section, "pool_idle_timeout", kDay, &proxy->pool_idle_timeout);
  LoadTime(section, "drain_timeout", kDay, &proxy->drain_timeout);
  section.Finish();
}

void LoadLedger(YamlMap section, quota::LedgerOptions* ledger) {
  LoadTime(section, "expire_after", std::chrono::days(31), &ledger->expire_after);
  LoadCount(section, "quotas_max", 1, 100'000, &ledger->quotas_max);
  LoadCount(section, "resources_per_key_max", 1, 10'000, &ledger->resources_per_key_max);
  LoadCount(section, "quotas_per_resource_max", 1, 10'000, &ledger->quotas_per_resource_max);
  LoadCount(section, "keys_per_api_max", 1, 10'000, &ledger->keys_per_api_max);
  section.Finish();
}

}  // namespace apiquota::config
