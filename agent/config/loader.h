// The parts of LoadConfig, one per section of the file. Internal to this room.
// Mistakes are recorded in the document; the values returned after one are harmless and unused.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/yaml.h"
#include "config/config.h"

namespace apiquota::config {

struct Loader {
  const LoadContext& context;
  std::string directory;                  // of the file, with its final slash; relative paths start here
  std::vector<std::string> callers = {};  // their names
};

// "conf/apiquota.yaml" → "conf/"
std::string DirectoryOf(const std::string& file);

// The text of a configuration file, or why it can't be read: as it may be no file's name at all, it is not
// repeated.
Result<std::string> ReadConfigText(const std::string& file, std::string_view named);

void LoadAdmin(YamlMap section, const Loader& loader, net::AdminOptions* admin);
void LoadProxy(YamlMap section, const Loader& loader, proxy::ProxyOptions* proxy);
void LoadPoller(YamlMap section, poll::PollerOptions* poller);
void LoadLedger(YamlMap section, quota::LedgerOptions* ledger);
void LoadMetrics(YamlMap section, metrics::MetricsOptions* metrics);
// `guard` is the file's section for all apis, which those of an api refine.
std::vector<apis::ApiOptions> LoadApis(const YamlValue& list, const Loader& loader,
                                       const std::vector<std::string>& proxy_hosts, const YamlValue& guard);
// The names of callers, for what is read before them; what is wrong with them is LoadCallers' to say.
std::vector<std::string> CallerNames(const YamlValue& list);
std::vector<apis::CallerOptions> LoadCallers(const YamlValue& list, const Loader& loader,
                                             const std::vector<apis::ApiOptions>& apis);

// `poll`, `limits` and `quotas` of one api, whose exporter is known already.
void LoadPoll(const YamlValue& value, const Loader& loader, apis::ApiOptions* api);
std::vector<quota::DeclaredLimit> LoadLimits(const YamlValue& list);
std::vector<apis::QuotaOptions> LoadQuotas(const YamlValue& list);

// How something is guarded: the flag's mode, refined by the file's blocks, the outermost first. Absent ones
// say nothing.
guard::Options LoadGuard(std::span<const YamlValue> blocks, const Loader& loader);

// Plain values with bounds; an absent one leaves *out as it is. Durations are from `min` to `max`.
void LoadCount(YamlMap& map, std::string_view key, int64_t min, int64_t max, size_t* out);
void LoadTime(YamlMap& map, std::string_view key, Micros min, Micros max, Micros* out);

// "10%": a share, as a fraction of 1.
double LoadShare(const YamlValue& value, uint64_t min, uint64_t max);

// Bytes: 65536, 64KiB, 1MiB, 2GiB; an absent one leaves *out as it is. The same the other way round.
void LoadSize(YamlMap& map, std::string_view key, uint64_t min, uint64_t max, size_t* out);
std::string FormatSize(uint64_t bytes);

// A name that becomes a label value: letters, digits, ".", "_", "-"; at most 64; none of `reserved`.
std::string LoadName(const YamlValue& value, std::initializer_list<std::string_view> reserved);

net::ListenAddress LoadListenAddress(const YamlValue& value);

// Host names without ports, in lower case.
std::vector<std::string> LoadHosts(const YamlValue& value);

// A path, made absolute from the file's directory; empty if the value is absent.
std::string LoadPath(const YamlValue& value, const Loader& loader);

// Complains unless the file at `path` can be read.
void CheckReadable(const YamlValue& value, const std::string& path);

// The credential named by <prefix>_from_env or <prefix>_from_file, exactly one of which must be there. Its
// value never enters a message.
Secret LoadSecret(YamlMap& map, std::string_view prefix, const Loader& loader);

}  // namespace apiquota::config
