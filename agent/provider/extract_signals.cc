#include "provider/extract_signals.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "provider/conditions.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"
#include "provider/label.h"
#include "provider/quota_reader.h"
#include "provider/request_resource.h"
#include "provider/source_parts.h"
#include "provider/usage.h"

namespace apiquota::provider {
namespace {

using Kind = HeaderTarget::Kind;

constexpr double kRetryAfterMax = 400 * 86400.0;

bool StartsAt(std::string_view text, size_t at, std::string_view word) {
  return StartsWithIgnoreCase(text.substr(at), word);
}

// Names worth telling a person about when the exporter has no rule for them.
bool LooksLikeLimit(std::string_view name) {
  for (size_t i = 0; i + 4 < name.size(); ++i) {
    switch (name[i] | 0x20) {
      case 'l':
        if (StartsAt(name, i, "limit")) return true;
        break;
      case 'q':
        if (StartsAt(name, i, "quota")) return true;
        break;
      case 'r':
        if (StartsAt(name, i, "remaining") || StartsAt(name, i, "retry-after")) return true;
        break;
      case 't':
        if (StartsAt(name, i, "throttl")) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

// Looks at every header once.
Captures CaptureHeaders(const Exporter& exporter, const http::Fields& fields, Unknown unknown,
                        std::vector<PlacedUnread>* unread) {
  Captures captures(exporter);
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view name = fields[i].name;
    const HeaderIndex::Match match = exporter.index->Find(name);
    if (match.targets.empty()) {
      if (unknown == Unknown::kName && LooksLikeLimit(name)) {
        unread->emplace_back(i, Unread{ToLower(name), "not described by the exporter",
                                       UnreadKind::kNotDescribed, SignalField::kPolicy});
      }
      continue;
    }
    for (const HeaderTarget& target : match.targets) {
      if (target.kind != Kind::kKnown) captures.Add(target, i, match.star);
    }
  }
  return captures;
}

std::optional<std::string_view> ResourceText(const ResourceRule& rule, size_t rule_index,
                                             const http::Exchange& exchange, const Captures& captures) {
  if (rule.from == ResourceRule::From::kResponseBody)
    return http::FindBodyValue(exchange.response_body, rule.name);
  if (rule.from != ResourceRule::From::kHeader) return NamedByRequest(rule, exchange);
  for (const Capture& capture : captures.Others()) {
    if (capture.target.kind == Kind::kResource && capture.target.rule == rule_index) {
      return exchange.fields[capture.at].value;
    }
  }
  return std::nullopt;
}

std::string_view FindResource(const Exporter& exporter, const http::Exchange& exchange,
                              const Captures& captures, std::vector<PlacedUnread>* unread) {
  for (size_t r = 0; r < exporter.resources.size(); ++r) {
    const ResourceRule& rule = exporter.resources[r];
    const auto text = ResourceText(rule, r, exchange, captures);
    if (!text) continue;
    if (FitForLabel(*text)) return *text;
    unread->emplace_back(exchange.fields.size(),
                         Unread{rule.name, "not a name of 1 to 128 printable characters",
                                UnreadKind::kMalformed, SignalField::kResource});
  }
  return {};
}

// How long to wait; a point in time is compared with the response's own Date, whatever our clock says.
std::expected<double, MomentError> ReadRetryAfter(const FieldSource& source, std::string_view text,
                                                  const http::Exchange& exchange) {
  const auto moment =
      ChooseMoment(source.formats, Unquoted(Trim(text)), exchange.date.value_or(exchange.received_at));
  if (!moment) return std::unexpected(moment.error());
  const SystemTime from = exchange.date.value_or(exchange.received_at);
  const double seconds = std::max(0.0, ToSeconds(moment->at - from));
  if (seconds > kRetryAfterMax) return std::unexpected(MomentError::kImplausible);
  return seconds;
}

// A field that came twice: "60, 60", "60s, 60s". Dates have commas, too, and colons.
bool IsListOfNumbers(std::string_view text) {
  const auto begins_with_digit = [](std::string_view element) {
    element = Unquoted(Trim(element));
    return !element.empty() && element.front() >= '0' && element.front() <= '9';
  };
  return text.size() <= kNumberBytesMax && text.find(',') != std::string_view::npos &&
         text.find_first_of("-:") == std::string_view::npos &&
         std::ranges::all_of(Split(text, ','), begins_with_digit);
}

std::optional<double> FindRetryAfter(const Exporter& exporter, const http::Exchange& exchange,
                                     const Captures& captures, std::vector<PlacedUnread>* unread) {
  std::optional<double> longest;
  const auto read = [&](const FieldSource& source, std::string_view text, size_t at) {
    const auto seconds = ReadRetryAfter(source, text, exchange);
    if (seconds) {
      longest = std::max(longest.value_or(0), *seconds);
      return;
    }
    const bool implausible = seconds.error() == MomentError::kImplausible;
    unread->emplace_back(
        at,
        Unread{source.name, implausible ? "no time within 400 days" : "not a time to wait",
               implausible ? UnreadKind::kImplausible : UnreadKind::kMalformed, SignalField::kRetryAfter});
  };
  const auto read_parts = [&](const FieldSource& source, std::string_view whole, size_t at) {
    const auto texts = PickTexts(source, whole);
    if (!texts) {
      if (texts.error() == PartError::kAbsent) return;
      unread->emplace_back(at, Unread{source.name, "not a text as this API writes it", UnreadKind::kMalformed,
                                      SignalField::kRetryAfter});
      return;
    }
    for (const std::string& text : *texts) {
      if (!IsListOfNumbers(text)) {
        read(source, text, at);
        continue;
      }
      for (const std::string_view element : Split(text, ',')) read(source, Trim(element), at);
    }
  };
  for (const Capture& capture : captures.Others()) {
    if (capture.target.kind != Kind::kRetryAfter) continue;
    read_parts(exporter.retry_after[capture.target.source], exchange.fields[capture.at].value, capture.at);
  }
  for (const FieldSource& source : exporter.retry_after) {
    if (source.from != FieldSource::From::kBody) continue;
    for (const auto* values : {&exchange.response_body, &exchange.stream_event}) {
      for (const http::BodyValue& value : *values) {
        if (value.pointer == source.name) read_parts(source, value.value, exchange.fields.size());
      }
    }
  }
  return longest;
}

}  // namespace

Signals ExtractSignals(const Exporter& exporter, const http::Exchange& exchange, Unknown unknown) {
  std::vector<PlacedUnread> unread;
  const Captures captures = CaptureHeaders(exporter, exchange.fields, unknown, &unread);
  const std::string_view resource = FindResource(exporter, exchange, captures, &unread);

  Signals signals;
  signals.resource = resource;
  signals.readings = QuotaReader(exporter, exchange, captures, resource, &unread).ReadAll();
  signals.throttle = FindThrottle(exporter, exchange, resource);
  signals.usage = FindUsage(exporter, exchange);
  signals.retry_after_seconds = FindRetryAfter(exporter, exchange, captures, &unread);

  if (unread.empty()) return signals;
  const auto place = [](const PlacedUnread& placed) {
    return std::tie(placed.first, placed.second.field, placed.second.header);
  };
  std::ranges::sort(unread, {}, place);
  signals.unread.reserve(unread.size());
  for (PlacedUnread& placed : unread) signals.unread.push_back(std::move(placed.second));
  return signals;
}

}  // namespace apiquota::provider
