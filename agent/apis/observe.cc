#include "apis/observe.h"

#include <algorithm>
#include <string>

#include "base/known_names.h"
#include "base/log.h"
#include "base/text.h"
#include "provider/extract_signals.h"

namespace apiquota::apis {
namespace {

// How long a cache has kept the response (RFC 9111 section 5.1); 0 if it came from its origin.
Micros AgeOf(const http::Exchange& exchange) {
  const auto age = exchange.fields.Find("age");
  const auto seconds = age ? ParseDigits(*age) : std::nullopt;
  constexpr uint64_t kLongest = 366 * 86400;
  return seconds ? Micros(std::chrono::seconds(std::min(*seconds, kLongest))) : Micros(0);
}

void Override(std::span<const QuotaOptions> options, std::vector<provider::Reading>* readings) {
  for (const QuotaOptions& option : options) {
    for (provider::Reading& reading : *readings) {
      if (reading.quota != option.quota) continue;
      if (option.kind) reading.kind = *option.kind, reading.kind_assumed = false;
      if (option.window && !reading.window_seconds) reading.window_seconds = ToSeconds(*option.window);
    }
  }
}

void CountErrors(const Observed& observed, const provider::Signals& signals,
                 const quota::ObserveResult& result) {
  for (const provider::Unread& unread : signals.unread) {
    if (unread.kind != provider::UnreadKind::kNotDescribed) observed.api.CountParseError(unread.field);
  }
  for (const provider::SignalField field : result.implausible) observed.api.CountParseError(field);
  for (size_t i = 0; i < result.conflicts; ++i) observed.api.CountQuotaConflict();
  if (observed.request_unread) observed.api.CountParseError(provider::SignalField::kRequestBody);
  if (result.dropped != 0) observed.api.CountDropped("apiquota_quota", result.dropped);
}

// What lines of a credential are folded by: keys that no configuration names share their api's, so that a
// flood of them leaves room for the others' lines.
std::string FoldKey(std::string_view api, std::string_view key) {
  return std::string(api).append("/").append(IsUnnamedKey(key) ? kOtherName : key);
}

void ReportThrottle(const Observed& observed, const provider::Signals& signals) {
  const provider::Throttle& throttle = *signals.throttle;
  observed.key.CountThrottle(throttle);
  const auto& wait = signals.retry_after_seconds;
  const std::string scope(ToText(throttle.scope));
  LogFolded(LogLevel::kWarn, "throttle",
            FoldKey(observed.api.api(), observed.key_label).append("/").append(scope),
            {{"api", observed.api.api()},
             {"key", std::string(observed.key_label)},
             {"resource", throttle.resource},
             {"scope", scope},
             {"signal", std::string(ToText(throttle.signal))},
             {"retry_after", wait ? FormatNumber(*wait) : ""}});
}

void ReportLimitChanges(const quota::ObserveResult& result) {
  for (const quota::LimitChange& change : result.limit_changes) {
    LogFolded(LogLevel::kInfo, "limit_change", FoldKey(change.id.api, change.id.key),
              {{"api", change.id.api},
               {"key", change.id.key},
               {"resource", change.id.resource},
               {"quota", change.id.quota},
               {"before", FormatNumber(change.before)},
               {"after", FormatNumber(change.after)}});
  }
}

}  // namespace

void ObservationThrew(metrics::ApiMetrics& api, const std::type_info& type) noexcept {
  try {
    api.CountObservationFailure(type.name());
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory even for that; the next one may be counted
  }
}

provider::Signals Observer::Observe(const Observed& observed, const http::Exchange& exchange,
                                    SystemTime now) {
  provider::Signals signals;
  Walled(observed.api, [&] { Fold(observed, exchange, now, &signals); });
  return signals;
}

void Observer::Fold(const Observed& observed, const http::Exchange& exchange, SystemTime now,
                    provider::Signals* out) {
  const bool look = observed.api.LooksForUnread(exchange.status);
  *out = provider::ExtractSignals(observed.exporter, exchange,
                                  look ? provider::Unknown::kName : provider::Unknown::kPassOver);
  Override(observed.quotas, &out->readings);
  const provider::Signals& signals = *out;
  const quota::ObserveResult result = Tell(observed, exchange, signals.readings, now);
  CountErrors(observed, signals, result);
  if (look && !signals.unread.empty()) observed.api.NoteUnread(signals.unread);
  if (observed.body_unread) observed.api.CountParseError(provider::SignalField::kBody);
  if (signals.throttle) ReportThrottle(observed, signals);
  if (signals.usage) observed.key.CountTokens(signals.resource, *signals.usage);
  if (signals.retry_after_seconds) observed.api.retry_after().Observe(*signals.retry_after_seconds);
  const bool refused = exchange.status == 401 || exchange.status == 403;
  if (refused && !signals.throttle) observed.key.auth_failures().Add();
  ReportLimitChanges(result);
}

quota::ObserveResult Observer::Tell(const Observed& observed, const http::Exchange& exchange,
                                    const std::vector<provider::Reading>& readings, SystemTime now) {
  const std::string& exporter = Info(observed.exporter).name;
  return ledger_.Observe({.api = observed.api.api(),
                          .key = observed.key_label,
                          .exporter = exporter,
                          .sent_at = exchange.sent_at,
                          .received_at = exchange.received_at,
                          .date = exchange.date,
                          .age = AgeOf(exchange),
                          .order = exchange.order,
                          .system_ahead = exchange.system_ahead,
                          .readings = readings},
                         now);
}

provider::Signals Observer::ObserveStream(const Observed& observed, const http::Exchange& exchange) {
  provider::Signals signals;
  Walled(observed.api, [&] { FoldStream(observed, exchange, &signals); });
  return signals;
}

void Observer::FoldStream(const Observed& observed, const http::Exchange& exchange, provider::Signals* out) {
  if (observed.body_unread) observed.api.CountParseError(provider::SignalField::kBody);
  if (exchange.response_body.empty() && exchange.stream_event.empty()) return;
  provider::Signals& signals = *out;
  signals = provider::ExtractSignals(observed.exporter, exchange, provider::Unknown::kPassOver);
  // What the head said has been told.
  std::erase_if(signals.readings, [](const provider::Reading& reading) { return !reading.source.events; });
  if (!signals.readings.empty()) {
    Override(observed.quotas, &signals.readings);
    const quota::ObserveResult result = Tell(observed, exchange, signals.readings, exchange.received_at);
    CountErrors(observed, {}, result);
    ReportLimitChanges(result);
  }
  if (signals.usage) observed.key.CountTokens(signals.resource, *signals.usage);
  if (signals.throttle && signals.throttle->signal != provider::ThrottleSignal::kStream)
    signals.throttle.reset();
  if (!signals.throttle) {
    signals.retry_after_seconds.reset();
    return;
  }
  ReportThrottle(observed, signals);
  if (signals.retry_after_seconds) observed.api.retry_after().Observe(*signals.retry_after_seconds);
}

}  // namespace apiquota::apis
