// The one pipeline every door uses: Exchange → ExtractSignals → Ledger → counters and log lines. Thread-safe.
// It runs after the response has begun to leave, and nothing it finds or fails at reaches the client: what is
// thrown while observing ends at Walled, not the process.
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <typeinfo>

#include "apis/options.h"
#include "base/clock.h"
#include "http/exchange.h"
#include "metrics/api_metrics.h"
#include "provider/exporter.h"
#include "quota/ledger.h"

namespace apiquota::apis {

// Whose exchange it was. References into the route table or the caller's own state, for the duration of the
// call.
struct Observed {
  const provider::Exporter& exporter;
  metrics::ApiMetrics& api;
  metrics::KeyMetrics& key;                   // what it counts into; its label may be "other"
  std::string_view key_label;                 // what the ledger knows it by
  std::span<const QuotaOptions> quotas = {};  // the operator's words on what is said
  bool body_unread = false;                   // the exporter wanted the body and it could not be read
  bool request_unread = false;                // … the request's
};

// Counts and tells that a step of observing threw; by the exception's type, since its text may repeat bytes
// of a response.
void ObservationThrew(metrics::ApiMetrics& api, const std::type_info& type) noexcept;

// Runs one step of observing; false if it threw. Every reader of what passes by runs inside.
template <class Step>
bool Walled(metrics::ApiMetrics& api, const Step& step) noexcept {
  try {
    step();
    return true;
  } catch (const std::exception& exception) {
    ObservationThrew(api, typeid(exception));
  } catch (...) {
    ObservationThrew(api, typeid(void));
  }
  return false;
}

class Observer {
 public:
  explicit Observer(quota::Ledger& ledger) : ledger_(ledger) {}

  // What the exchange said; nothing if that could not be found out.
  provider::Signals Observe(const Observed& observed, const http::Exchange& exchange, SystemTime now);

  // Counts this key's requests against its api's declared limits; null if there are none.
  std::shared_ptr<quota::RequestCounter> CounterFor(std::string_view api, std::string_view key,
                                                    SystemTime now) {
    return ledger_.declared().CounterFor(api, key, now);
  }

  // The end of an event stream whose head has been observed: what its events said of tokens, of quotas,
  // and of a throttle where the head knew of none. Nothing of what the head said.
  provider::Signals ObserveStream(const Observed& observed, const http::Exchange& exchange);

 private:
  void Fold(const Observed& observed, const http::Exchange& exchange, SystemTime now,
            provider::Signals* signals);
  quota::ObserveResult Tell(const Observed& observed, const http::Exchange& exchange,
                            const std::vector<provider::Reading>& readings, SystemTime now);
  void FoldStream(const Observed& observed, const http::Exchange& exchange, provider::Signals* signals);

  quota::Ledger& ledger_;
};

}  // namespace apiquota::apis
