// Every exporter file both ways: what a simulation says in its dialect, explain reads back. The complaints
// name the file and the key in it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/catalogue.h"
#include "base/text.h"
#include "provider/body_reader.h"
#include "provider/catalogue.h"
#include "provider/extract_signals.h"
#include "simulate/simulated_api.h"

namespace apiquota::simulate {
namespace {

using provider::FieldSource;
using provider::Format;
using provider::QuotaRule;
using provider::SignalField;
using provider::ThrottleRule;
using std::chrono::seconds;

constexpr SystemTime kNow{seconds(1'800'000'000)};

const provider::Catalogue& Exporters() {
  static const provider::Catalogue catalogue = *app::LoadCatalogue("");
  return catalogue;
}

std::string Body(const SimulatedResponse& response) {
  if (!response.event_stream) return response.body;
  const std::string last = response.last_event.empty() ? "" : EventText(response.last_event);
  return EventText(response.body) + last + "data: [DONE]\n\n";
}

provider::Signals Read(const provider::Exporter& exporter, const SimulatedResponse& response, SystemTime now,
                       const std::string& path = "/") {
  http::Exchange exchange;
  exchange.method = "POST";
  exchange.path = path;
  exchange.status = response.status;
  exchange.fields = response.fields;
  exchange.fields.Add("content-type", response.event_stream ? "text/event-stream" : "application/json");
  exchange.received_at = now;
  exchange.date = now;
  if (auto reader = provider::BodyReader::For(exporter, exchange)) {
    reader->Write(Body(response));
    EXPECT_FALSE(reader->Failed()) << Info(exporter).name << "\n" << Body(response);
    reader->TakeInto(&exchange);
  }
  return ExtractSignals(exporter, exchange);
}

std::string Text(const SimulatedResponse& response) {
  std::string text = fmt::format("{}\n", response.status);
  for (size_t i = 0; i < response.fields.size(); ++i) {
    text += fmt::format("{}: {}\n", response.fields[i].name, response.fields[i].value);
  }
  return text + Body(response);
}

bool Says(const QuotaRule& rule, SignalField field) { return !rule.Sources(field).empty(); }

// As exact as the format is that says it.
double Tolerance(const std::vector<FieldSource>& sources) {
  const bool minutes = std::ranges::any_of(sources, [](const FieldSource& source) {
    return std::ranges::find(source.formats, Format::kDeltaMinutes) != source.formats.end();
  });
  return minutes ? 60 : 1;
}

std::string Shown(const std::optional<double>& value) { return value ? FormatNumber(*value) : "nothing"; }

// "" or one complaint per field that was said and not read, or read otherwise.
std::string Disagreement(const SpokenQuota& said, const provider::Reading& read) {
  const QuotaRule& rule = *said.rule;
  const double share = ShareOf(rule, said.limit);
  std::string complaints;
  const auto check = [&](SignalField field, double expected, const std::optional<double>& found, double off) {
    if (!found && !Says(rule, field)) return;
    if (found && std::abs(*found - expected) <= off) return;
    complaints +=
        fmt::format("  {}: said {}, read {}\n", ToText(field), FormatNumber(expected), Shown(found));
  };
  check(SignalField::kLimit, said.limit * share, read.limit, 1e-6);
  check(SignalField::kRemaining, said.remaining * share, read.remaining, 1e-6);
  check(SignalField::kUsed, (said.limit - said.remaining) * share, read.used, 1e-6);
  const auto reset = read.reset_at ? std::optional(ToSeconds(*read.reset_at - kNow)) : std::nullopt;
  check(SignalField::kReset, ToSeconds(said.reset_at - kNow), reset,
        Tolerance(rule.Sources(SignalField::kReset)));
  return complaints;
}

// What explain makes of one rule's words alone.
std::string RuleComplaint(const provider::Exporter& exporter, size_t index, bool ietf) {
  const QuotaRule& rule = exporter.quotas[index];
  const std::string star = NameForStar(exporter, index);
  const double limit = KnownLimit(rule).value_or(100);
  const Micros window = KnownWindow(rule, star, "").value_or(seconds(60));
  SpokenQuota said{.rule = &rule, .star = star, .resource = "default", .limit = limit};
  const bool bucket = rule.kind == provider::QuotaKind::kBucket;
  const auto taken = Counter::Make(
      {.kind = bucket ? LimitKind::kBucket : LimitKind::kFixed, .limit = limit, .window = window});
  taken->Take(SaysExhaustion(rule) ? limit : std::max(1.0, limit / 100), kNow);
  said.remaining = taken->Remaining(kNow);
  said.reset_at = taken->ResetAt(kNow);
  said.window = window;
  said.ietf = ietf;
  ReplyWriter reply;
  SayQuota(said, kNow, &reply);
  const SimulatedResponse response{.status = rule.when.statuses.empty() ? 200 : rule.when.statuses.front(),
                                   .fields = reply.Fields(),
                                   .body = reply.Body(nlohmann::ordered_json::object())};
  const std::string name = QuotaName(rule, star);
  for (const provider::Reading& reading :
       Read(exporter, response, kNow, "/" + rule.when.path.substr(rule.when.path.starts_with('/')))
           .readings) {
    if (reading.quota != name) continue;
    const std::string complaints = Disagreement(said, reading);
    return complaints.empty() ? "" : complaints + Text(response);
  }
  return fmt::format("  said quota {}, which was not read\n{}", name, Text(response));
}

TEST(RoundTripTest, EachQuotaOfEachFileIsReadAsItIsSaid) {
  for (const auto& exporter : Exporters().All()) {
    for (size_t r = 0; r < exporter->quotas.size(); ++r) {
      if (!CanBeSaid(exporter->quotas[r])) continue;
      const auto where = fmt::format("exporters/{}.yaml quotas[{}] ({})", Info(*exporter).name, r,
                                     exporter->quotas[r].quota);
      EXPECT_EQ(RuleComplaint(*exporter, r, false), "") << where;
      if (SpeaksIetf(exporter->quotas[r])) {
        EXPECT_EQ(RuleComplaint(*exporter, r, true), "") << where << " in the IETF fields";
      }
    }
  }
}

// The quotas that are announced, and what is read of them.
std::string ApiComplaint(const provider::Exporter& exporter, const SimulatedApi& api,
                         const SimulatedResponse& response, SystemTime now) {
  const provider::Signals signals = Read(exporter, response, now);
  std::string complaints;
  for (const SpokenQuota& said : api.Spoken({}, response.status, now)) {
    const std::string name = QuotaName(*said.rule, said.star);
    const auto read = std::ranges::find(signals.readings, name, &provider::Reading::quota);
    if (read == signals.readings.end()) {
      complaints += fmt::format("quota {} is not read\n", name);
    } else if (const std::string found = Disagreement(said, *read); !found.empty()) {
      complaints += fmt::format("quota {}\n{}", name, found);
    }
  }
  return complaints.empty() ? "" : complaints + Text(response);
}

TEST(RoundTripTest, EachApiIsReadAsItSpeaks) {
  for (const auto& exporter : Exporters().All()) {
    const std::string file = "exporters/" + Info(*exporter).name + ".yaml";
    auto api = SimulatedApi::Create({}, *exporter);
    ASSERT_TRUE(api.has_value()) << file << ": " << api.error().message;
    const SimulatedResponse ordinary = api->Answer({}, kNow);
    EXPECT_EQ(ApiComplaint(*exporter, *api, ordinary, kNow), "") << file;
    EXPECT_FALSE(Read(*exporter, ordinary, kNow).throttle.has_value())
        << file << ": a throttle rule holds for an ordinary response\n"
        << Text(ordinary);
  }
}

TEST(RoundTripTest, EachApiIsReadAsItRefusesAndTellsTheTruthAboutWaiting) {
  constexpr int kRequestsMax = 500;  // limits that files state can't be lowered
  for (const auto& exporter : Exporters().All()) {
    const std::string file = "exporters/" + Info(*exporter).name + ".yaml";
    auto api = SimulatedApi::Create({.limit = 2}, *exporter);
    ASSERT_TRUE(api.has_value()) << file << ": " << api.error().message;
    SimulatedResponse refused;
    for (int n = 0; n < kRequestsMax && api->stats.throttled == 0; ++n)
      api->End(refused = api->Answer({}, kNow), 1, kNow);
    if (api->stats.throttled == 0) continue;
    EXPECT_EQ(ApiComplaint(*exporter, *api, refused, kNow), "") << file;
    const provider::Signals signals = Read(*exporter, refused, kNow);
    ASSERT_TRUE(signals.throttle.has_value()) << file << ": no throttle rule holds\n" << Text(refused);
    EXPECT_EQ(signals.throttle->scope, api->throttle().scope) << file << ": throttle\n" << Text(refused);
    if (!signals.retry_after_seconds) continue;
    const SystemTime then = kNow + SecondsToMicros(*signals.retry_after_seconds);
    const uint64_t before = api->stats.throttled;
    api->Answer({}, then);
    EXPECT_EQ(api->stats.throttled, before) << file << ": retry_after is too short\n" << Text(refused);
  }
}

// One header says when to come back and when the quota is reset: only a refusal for want of quota can say
// both.
bool WaitIsAReset(const provider::Exporter& exporter) {
  return std::ranges::any_of(exporter.retry_after, [&](const FieldSource& wait) {
    return std::ranges::any_of(exporter.quotas, [&](const QuotaRule& rule) {
      const auto& resets = rule.Sources(SignalField::kReset);
      return std::ranges::find(resets, wait.name, &FieldSource::name) != resets.end();
    });
  });
}

TEST(RoundTripTest, EachThrottleOfEachFileIsReadAsItsScope) {
  constexpr Micros kWait = seconds(17);
  for (const auto& exporter : Exporters().All()) {
    const auto api = SimulatedApi::Create({}, *exporter);
    ASSERT_TRUE(api.has_value()) << api.error().message;
    for (size_t t = 0; t < exporter->throttles.size(); ++t) {
      const ThrottleRule& rule = exporter->throttles[t];
      const std::string where = fmt::format("exporters/{}.yaml throttle[{}]", Info(*exporter).name, t);
      for (const int status : rule.statuses) {
        ThrottleRule one = rule;
        one.statuses = {status};
        const SimulatedResponse response = api->Refuse(one, {.path = rule.path}, kWait, kNow);
        const provider::Signals signals = Read(*exporter, response, kNow, rule.path);
        ASSERT_TRUE(signals.throttle.has_value()) << where << " is not read\n" << Text(response);
        EXPECT_EQ(ToText(signals.throttle->scope), ToText(rule.scope)) << where << "\n" << Text(response);
        if (!signals.retry_after_seconds || WaitIsAReset(*exporter)) continue;
        EXPECT_NEAR(*signals.retry_after_seconds, ToSeconds(kWait), Tolerance(exporter->retry_after))
            << where << "\n"
            << Text(response);
      }
    }
  }
}

TEST(RoundTripTest, EachApiIsReadForTheTokensItSaysWereSpent) {
  for (const auto& exporter : Exporters().All()) {
    if (exporter->usage.empty()) continue;
    auto api = SimulatedApi::Create({}, *exporter);
    ASSERT_TRUE(api.has_value()) << api.error().message;
    for (const bool stream : {false, true}) {
      const SimulatedResponse response = api->Answer({.stream = stream}, kNow);
      EXPECT_EQ(Read(*exporter, response, kNow).usage, SpokenUsage(*exporter, kExampleUsage))
          << "exporters/" << Info(*exporter).name << ".yaml: usage\n"
          << Text(response);
    }
  }
}

}  // namespace
}  // namespace apiquota::simulate
