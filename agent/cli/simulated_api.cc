#include "cli/simulated_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"
#include "provider/formats.h"

namespace apiquota::cli {
namespace {

using provider::FieldSource;
using provider::QuotaRule;
using provider::SignalField;
using Json = nlohmann::ordered_json;

// What stands for the '*' of `pattern` in `name`; nothing if it does not match.
std::optional<std::string_view> MatchStar(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos)
    return name == pattern ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) {
    return std::nullopt;
  }
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

std::string FillStar(const std::string& pattern, std::string_view star) {
  const size_t at = pattern.find('*');
  return at == std::string::npos ? pattern : std::string(pattern).replace(at, 1, star);
}

const FieldSource* FirstHeader(const std::vector<FieldSource>& sources) {
  const auto found =
      std::ranges::find(sources, FieldSource::From::kHeader, [](const FieldSource& s) { return s.from; });
  return found == sources.end() ? nullptr : &*found;
}

bool HasHeaders(const QuotaRule& rule) {
  return FirstHeader(rule.Sources(SignalField::kRemaining)) != nullptr ||
         FirstHeader(rule.Sources(SignalField::kUsed)) != nullptr ||
         FirstHeader(rule.Sources(SignalField::kLimit)) != nullptr;
}

// Quotas whose limit is a constant (1, 100) are told as a share of it.
double Scale(const QuotaRule& rule, double limit) {
  const std::vector<FieldSource>& sources = rule.Sources(SignalField::kLimit);
  return !sources.empty() && sources.front().from == FieldSource::From::kConstant
             ? sources.front().constant / limit
             : 1;
}

// {"error": …} with everything the throttle rule looks for in a body.
Json ThrottleBody(const provider::ThrottleRule& rule) {
  Json body = Json::object();
  for (const provider::Condition& condition : rule.conditions) {
    if (condition.on == provider::Condition::On::kBody)
      body[Json::json_pointer(condition.name)] = condition.text;
  }
  if (body.empty()) {
    body["error"] = {{"type", "rate_limit_error"}, {"message", "Rate limit reached; see the headers."}};
  }
  return body;
}

}  // namespace

Result<SimulatedApi> SimulatedApi::Create(const SimulateOptions& options,
                                          const provider::Exporter& exporter) {
  SimulatedApi api(options, exporter);
  for (const std::string& text : options.quotas) {
    if (Status status = api.AnnounceFromOption(text); !status) return std::unexpected(status.error());
  }
  if (options.quotas.empty()) api.AnnounceAll();
  if (api.announced_.empty()) {
    return Fail(fmt::format("{} names no quota in full; choose one with --quota NAME", exporter.info.name));
  }
  return api;
}

Status SimulatedApi::AnnounceFromOption(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Announce(text, options_.limit);
  const std::optional<double> limit = ParseDecimal(text.substr(equals + 1));
  if (!limit || *limit <= 0) {
    return Fail(fmt::format("--quota {}: a limit above 0 is expected after the =", text));
  }
  return Announce(text.substr(0, equals), *limit);
}

Status SimulatedApi::Announce(std::string_view name, double limit) {
  for (const QuotaRule& rule : exporter_.quotas) {
    const std::optional<std::string_view> star = MatchStar(rule.quota, name);
    if (star && HasHeaders(rule)) {
      AddAnnounced(rule, name, *star, limit);
      return {};
    }
  }
  return Fail(fmt::format("--quota {}: {} has no such quota in headers", name, exporter_.info.name));
}

void SimulatedApi::AnnounceAll() {
  for (const QuotaRule& rule : exporter_.quotas) {
    const bool said = std::ranges::find(announced_, rule.quota, &Announced::name) != announced_.end();
    if (!said && rule.quota.find('*') == std::string::npos && HasHeaders(rule)) {
      AddAnnounced(rule, rule.quota, "", options_.limit);
    }
  }
}

void SimulatedApi::AddAnnounced(const QuotaRule& rule, std::string_view name, std::string_view star,
                                double limit) {
  std::string unit = rule.unit;
  for (const provider::UnitWord& word : rule.units) {
    if (rule.quota.find('*') != std::string::npos && name.find(word.word) != std::string_view::npos) {
      unit = word.unit;
      break;
    }
  }
  announced_.push_back({&rule, std::string(name), std::string(star), unit == "requests" ? 1 : options_.cost,
                        SimulatedQuota(rule.kind, limit, options_.window)});
}

SimulatedResponse SimulatedApi::Answer(std::string_view path, bool stream, SystemTime now) {
  ++stats.requests;
  SimulatedResponse response;
  if (!path.starts_with(options_.path)) {
    ++stats.not_found;
    response.status = 404;
    response.body = fmt::format("{}\n", Json{{"error", {{"message", "Not found."}}}}.dump());
    return response;
  }
  Micros wait(0);
  for (const Announced& announced : announced_) {
    wait = std::max(wait, announced.quota.WaitFor(announced.cost, now));
  }
  if (wait == Micros(0)) {
    for (Announced& announced : announced_) announced.quota.Take(announced.cost, now);
  }
  AppendQuotaFields(now, &response.fields);
  if (wait > Micros(0)) {
    ++stats.throttled;
    AppendThrottle(wait, now, &response);
    return response;
  }
  response.event_stream = stream || options_.sse;
  if (response.event_stream) ++stats.streams;
  response.body =
      fmt::format("{}\n", Json{{"simulated", exporter_.info.name}, {"request", stats.requests}}.dump());
  return response;
}

void SimulatedApi::AppendQuotaFields(SystemTime now, http::Fields* fields) const {
  for (const Announced& announced : announced_) {
    const SimulatedQuota& quota = announced.quota;
    const double scale = Scale(*announced.rule, quota.limit());
    // A provider that counts whole things has not got one until it is whole.
    const double remaining = scale == 1 ? std::floor(quota.Remaining(now)) : quota.Remaining(now);
    const auto add_number = [&](SignalField field, double value) {
      const FieldSource* source = FirstHeader(announced.rule->Sources(field));
      if (source == nullptr) return;
      fields->Add(FillStar(source->name, announced.star),
                  provider::WriteNumber(source->formats.front(), value * scale));
    };
    const auto add_moment = [&](SignalField field, SystemTime at) {
      const FieldSource* source = FirstHeader(announced.rule->Sources(field));
      if (source == nullptr) return;
      fields->Add(FillStar(source->name, announced.star),
                  provider::WriteMoment(source->formats.front(), at, now));
    };
    add_number(SignalField::kLimit, quota.limit());
    add_number(SignalField::kRemaining, remaining);
    add_number(SignalField::kUsed, quota.limit() - remaining);
    add_moment(SignalField::kReset, quota.ResetAt(now));
    add_moment(SignalField::kWindow, now + quota.window());
  }
  if (options_.resource.empty()) return;
  for (const provider::ResourceRule& rule : exporter_.resources) {
    if (rule.from != provider::ResourceRule::From::kHeader) continue;
    fields->Add(rule.name, options_.resource);
    return;
  }
}

void SimulatedApi::AppendThrottle(Micros wait, SystemTime now, SimulatedResponse* response) const {
  const auto primary = std::ranges::find(exporter_.throttles, provider::ThrottleScope::kPrimary,
                                         &provider::ThrottleRule::scope);
  response->status = 429;
  Json body = ThrottleBody({});
  if (primary != exporter_.throttles.end()) {
    response->status = primary->statuses.front();
    body = ThrottleBody(*primary);
    for (const provider::Condition& condition : primary->conditions) {
      if (condition.on == provider::Condition::On::kHeader && !response->fields.Find(condition.name)) {
        response->fields.Add(condition.name, condition.text.empty() ? "1" : condition.text);
      }
    }
  }
  response->body = fmt::format("{}\n", body.dump());
  bool said = false;
  for (const FieldSource& source : exporter_.retry_after) {
    if (source.from != FieldSource::From::kHeader) continue;
    response->fields.Add(source.name, provider::WriteMoment(source.formats.front(), now + wait, now));
    said = said || source.name == "retry-after";
  }
  if (!said) {
    response->fields.Add("retry-after",
                         provider::WriteMoment(provider::Format::kDeltaSeconds, now + wait, now));
  }
}

std::string SimulatedApi::StatsJson(SystemTime now) const {
  Json quotas = Json::array();
  for (const Announced& announced : announced_) {
    quotas.push_back({{"quota", announced.name},
                      {"limit", announced.quota.limit()},
                      {"remaining", announced.quota.Remaining(now)},
                      {"reset_at", ToUnixSeconds(announced.quota.ResetAt(now))}});
  }
  return fmt::format("{}\n", Json{{"requests", stats.requests},
                                  {"throttled", stats.throttled},
                                  {"not_found", stats.not_found},
                                  {"completed", stats.completed},
                                  {"cancelled", stats.cancelled},
                                  {"streams", stats.streams},
                                  {"active", stats.active},
                                  {"quotas", quotas}}
                                 .dump());
}

}  // namespace apiquota::cli
