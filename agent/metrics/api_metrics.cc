#include "metrics/api_metrics.h"

#include <algorithm>

#include "base/known_names.h"
#include "base/log.h"

namespace apiquota::metrics {
namespace {

constexpr size_t kKeysMetMax = 100;        // of one api: fingerprints met at run time
constexpr size_t kTokenResourcesMax = 64;  // of one key, as in the ledger
constexpr std::string_view kMethods[] = {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr int kKnownCodes[] = {200, 429};

std::string_view DoorLabel(http::Door door) {
  switch (door) {
    case http::Door::kProxy:
      return "proxy";
    case http::Door::kPoll:
      return "poll";
    case http::Door::kIngest:
      return "ingest";
  }
  return kOtherName;
}

std::string_view MethodLabel(std::string_view method) {
  const auto* found = std::find(std::begin(kMethods), std::end(kMethods), method);
  return found == std::end(kMethods) ? kOtherName : *found;
}

}  // namespace

KeyMetrics::KeyMetrics(ApiMetrics& api, std::string key, std::string caller)
    : api_(api),
      key_(std::move(key)),
      caller_(std::move(caller)),
      auth_failures_(api.families().auth_failures.With({api.api(), key_})) {}

Counter& KeyMetrics::UpstreamRequests(http::Door door, std::string_view method, int code) {
  const std::tuple id(door, MethodLabel(method), code);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Counter>& counter = requests_[id];
  if (counter == nullptr) {
    counter =
        api_.families().upstream_requests.With({api_.api(), key_, caller_, std::string(MethodLabel(method)),
                                                std::to_string(code), std::string(DoorLabel(door))});
  }
  return *counter;
}

void KeyMetrics::CountThrottle(const provider::Throttle& throttle) {
  api_.families()
      .throttles
      .With({api_.api(), key_, caller_, throttle.resource, std::string(ToText(throttle.scope)),
             std::string(ToText(throttle.signal))})
      ->Add();
}

void KeyMetrics::CountTokens(std::string_view resource, const provider::TokenUsage& usage) {
  const std::lock_guard lock(mutex_);
  auto found = tokens_.find(resource);
  if (found == tokens_.end()) {
    if (tokens_.size() >= kTokenResourcesMax) resource = kOtherName;
    found = tokens_.try_emplace(std::string(resource)).first;
  }
  for (size_t i = 0; i < usage.size(); ++i) {
    if (usage[i] == 0) continue;
    std::shared_ptr<Counter>& counter = found->second[i];
    if (counter == nullptr) {
      counter =
          api_.families().tokens.With({api_.api(), key_, caller_, found->first,
                                       std::string(ToText(static_cast<provider::TokenType>(i))), "reported"});
    }
    counter->Add(usage[i]);
  }
}

ApiMetrics::ApiMetrics(AgentMetrics& families, std::string api, const provider::ExporterInfo& exporter,
                       const std::vector<std::string>& keys)
    : families_(families), api_(std::move(api)), unread_generation_(families.unread_headers.generation()) {
  for (const int code : kKnownCodes) ProxyRequests(code);
  const std::string nobody;  // in particular
  for (const std::string& key : keys) {
    auto& metrics = keys_[{key, nobody}] = std::make_unique<KeyMetrics>(*this, key, nobody);
    for (const int code : kKnownCodes) metrics->UpstreamRequests(http::Door::kProxy, "GET", code);
    for (const provider::Throttle& throttle : exporter.throttles) {
      families_.throttles.With({api_, key, nobody, throttle.resource, std::string(ToText(throttle.scope)),
                                std::string(ToText(throttle.signal))});
    }
  }
}

KeyMetrics& ApiMetrics::ForKey(std::string_view key, std::string_view caller) {
  const std::lock_guard lock(mutex_);
  std::pair id{std::string(key), std::string(caller)};
  auto found = keys_.find(id);
  if (found != keys_.end()) return *found->second;
  if (keys_met_ >= kKeysMetMax) {
    CountDropped("apiquota_upstream_requests_total", 1);
    id.first = kOtherName;
    found = keys_.find(id);
    if (found != keys_.end()) return *found->second;
  } else {
    ++keys_met_;
  }
  auto made = std::make_unique<KeyMetrics>(*this, id.first, id.second);
  return *keys_.emplace(std::move(id), std::move(made)).first->second;
}

Counter& ApiMetrics::ProxyRequests(int code) {
  const int index = std::clamp(code, 0, 999);
  std::atomic<Counter*>& cached = proxy_requests_[static_cast<size_t>(index)];
  Counter* counter = cached.load(std::memory_order_acquire);
  if (counter != nullptr) return *counter;
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Counter>& held = proxy_requests_held_[index];
  if (held == nullptr) held = families_.proxy_requests.With({api_, std::to_string(code)});
  cached.store(held.get(), std::memory_order_release);
  return *held;
}

Counter& ApiMetrics::UpstreamErrors(UpstreamError error) {
  return upstream_errors_[static_cast<size_t>(error)].Get(
      [&] { return families_.upstream_errors.With({api_, std::string(Info(error).label)}); });
}

void ApiMetrics::CountUpstreamError(UpstreamError error, std::string_view detail) {
  const ReasonInfo& info = Info(error);
  UpstreamErrors(error).Add();
  // Clients may leave as they like; whoever looks for lost answers finds them at level debug.
  const LogLevel level = error == UpstreamError::kClientGone ? LogLevel::kDebug : LogLevel::kWarn;
  LogFolded(level, "upstream_error", api_ + "/" + std::string(info.label),
            {{"api", api_},
             {"reason", std::string(info.label)},
             {"detail", std::string(detail.empty() ? info.detail : detail)}});
}

void ApiMetrics::CountParseError(provider::SignalField field) {
  const std::string_view text = ToText(field);
  families_.parse_errors.With({api_, std::string(text)})->Add();
  const bool body = field == provider::SignalField::kBody || field == provider::SignalField::kRequestBody;
  LogFolded(LogLevel::kWarn, body ? "body_unread" : "signal_unread", api_ + "/" + std::string(text),
            {{"api", api_}, {"field", std::string(text)}});
}

void ApiMetrics::CountObservationFailure(std::string_view what) {
  families_.parse_errors.With({api_, "exception"})->Add();
  LogFolded(LogLevel::kError, "observation_failed", api_, {{"api", api_}, {"error", std::string(what)}});
}

void ApiMetrics::CountQuotaConflict() {
  families_.quota_conflicts.With({api_})->Add();
  LogFolded(LogLevel::kWarn, "quota_conflict", api_, {{"api", api_}});
}

GuardMetrics& ApiMetrics::guard() {
  std::call_once(guard_once_, [this] { guard_ = std::make_unique<GuardMetrics>(families_, api_); });
  return *guard_;
}

CacheMetrics& ApiMetrics::cache() {
  std::call_once(cache_once_, [this] { cache_ = std::make_unique<CacheMetrics>(families_, api_); });
  return *cache_;
}

void ApiMetrics::CountPollCost(const std::string& key, const std::string& unit, uint64_t cost) {
  families_.poll_cost.With({api_, key, unit})->Add(cost);
}

}  // namespace apiquota::metrics
