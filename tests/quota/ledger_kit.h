// Short words for tests of the ledger: times as seconds after a fixed start, readings and observations built
// in one expression. Header only.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quota/ledger.h"

namespace apiquota::quota {

inline SystemTime At(double seconds) {
  return SystemTime(std::chrono::seconds(1'700'000'000)) + SecondsToMicros(seconds);
}

struct Words {
  std::optional<double> limit = {};
  std::optional<double> remaining = {};
  std::optional<double> used = {};
  std::optional<double> reset = {};  // seconds after the start
  bool absolute = true;
  std::optional<double> window = {};
  std::string resource = {};
  std::string quota = "requests";
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  bool assumed = false;  // the kind
};

inline provider::Reading ReadingOf(const Words& words) {
  provider::Reading reading;
  reading.resource = words.resource;
  reading.quota = words.quota;
  reading.unit = "requests";
  reading.kind = words.kind;
  reading.kind_assumed = words.assumed;
  reading.limit = words.limit;
  reading.remaining = words.remaining;
  reading.used = words.used;
  if (words.reset) reading.reset_at = At(*words.reset);
  reading.reset_absolute = words.reset.has_value() && words.absolute;
  reading.window_seconds = words.window;
  return reading;
}

// One response: when it arrived, what its Date said, which request it answers. Without `sent` its request was
// sent when the response came, or with the one that overtook it.
struct Response {
  double received = 0;
  std::optional<double> date = {};
  uint64_t order = 0;
  Words words = {};
  std::string key = "ci";
  std::string api = "api";
  std::optional<double> sent = {};
  double age = 0;
};

// A ledger and the time of what it was last told.
class Bench {
 public:
  explicit Bench(LedgerOptions options = {}, FairShares* series = nullptr) : ledger(options, series) {}

  // The next request's answer: these readings.
  ObserveResult Observe(std::span<const provider::Reading> readings, double t) {
    const SystemTime at = At(t);
    return ledger.Observe({.api = "api",
                           .key = "ci",
                           .exporter = "generic",
                           .sent_at = at,
                           .received_at = at,
                           .date = {},
                           .order = ++order,
                           .readings = readings},
                          at);
  }

  // Processed at `now`, or when it was received.
  ObserveResult Tell(const Response& response, std::optional<double> now = {}) {
    const provider::Reading reading = ReadingOf(response.words);
    Observation observation;
    observation.api = response.api;
    observation.key = response.key;
    observation.exporter = "generic";
    observation.sent_at = At(SentAt(response));
    observation.received_at = At(response.received);
    observation.age = SecondsToMicros(response.age);
    if (response.date) observation.date = At(*response.date);
    observation.order = response.order;
    observation.readings = {&reading, 1};
    return ledger.Observe(observation, At(now.value_or(response.received)));
  }

  // The next request's answer, without a Date.
  ObserveResult Say(double received, const Words& words) { return Tell({received, {}, ++order, words}); }

  // The only quota there is.
  QuotaView View(double now) const {
    const Snapshot snapshot = ledger.Read(At(now));
    return snapshot.quotas.size() == 1 ? snapshot.quotas[0] : QuotaView{};
  }

  Ledger ledger;
  uint64_t order = 0;

 private:
  double SentAt(const Response& response) {
    double sent = response.sent.value_or(response.received);
    const auto overtook = sent_.upper_bound(response.order);
    if (!response.sent && overtook != sent_.end()) sent = std::min(sent, overtook->second);
    return sent_[response.order] = sent;
  }

  std::map<uint64_t, double> sent_;  // by order
};

inline std::shared_ptr<const KnownNames> Names(std::vector<ApiNames> apis) {
  return std::make_shared<const KnownNames>(std::move(apis));
}

// How many quotas each of two apis has.
inline std::pair<size_t, size_t> QuotasOf(const Snapshot& snapshot, std::string_view a, std::string_view b) {
  const auto of = [&](std::string_view api) {
    return static_cast<size_t>(
        std::ranges::count_if(snapshot.quotas, [&](const QuotaView& view) { return view.id.api == api; }));
  };
  return {of(a), of(b)};
}

}  // namespace apiquota::quota
