#include "simulate/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "provider/derive.h"
#include "provider/formats.h"
#include "provider/header_index.h"

namespace apiquota::simulate {
namespace {

using provider::FieldSource;
using provider::Format;
using provider::QuotaRule;
using provider::SignalField;

bool Speaks(const FieldSource& source) { return source.from != FieldSource::From::kConstant; }

// Of several ways to say one thing, APIs use one at a time: the file's first.
const FieldSource* FirstSpoken(const std::vector<FieldSource>& sources) {
  const auto found = std::ranges::find_if(sources, Speaks);
  return found == sources.end() ? nullptr : &*found;
}

bool SaysCounts(const QuotaRule& rule) {
  const FieldSource* limit = FirstSpoken(rule.Sources(SignalField::kLimit));
  return limit != nullptr && !limit->formats.empty() && limit->formats.front() == Format::kCounts;
}

bool IsShare(const QuotaRule& rule) { return rule.unit == "ratio" || rule.unit == "percent"; }

bool HasStar(const QuotaRule& rule) { return rule.quota.find('*') != std::string::npos; }

// Does every header that says something of the rule, with this name in its star's place, belong to the rule?
bool LeadsBack(const provider::Exporter& exporter, size_t index, std::string_view name) {
  for (const auto& sources : exporter.quotas[index].sources) {
    const FieldSource* source = FirstSpoken(sources);
    if (source == nullptr || source->from != FieldSource::From::kHeader) continue;
    const auto match = exporter.index->Find(FillStar(source->name, name));
    const auto here = [&](const provider::HeaderTarget& target) {
      return target.kind == provider::HeaderTarget::Kind::kQuotaField && target.rule == index;
    };
    if (std::ranges::none_of(match.targets, here)) return false;
  }
  return true;
}

bool NameTaken(const provider::Exporter& exporter, const std::string& name) {
  return std::ranges::any_of(exporter.quotas, [&](const QuotaRule& rule) { return rule.quota == name; });
}

// What each '*' of a pointer stands for, in its order.
std::vector<std::string> Names(const SpokenQuota& quota) {
  if (quota.rule->resource_from_star) return {quota.resource, quota.star};
  return {quota.star};
}

std::vector<std::string> NamesFor(const SpokenQuota& quota, const FieldSource& source) {
  std::vector<std::string> names = Names(quota);
  const std::string& pointer = source.from == FieldSource::From::kBody ? source.name : source.pointer;
  const auto stars = static_cast<size_t>(std::ranges::count(pointer, '*'));
  if (source.from == FieldSource::From::kBody && !source.several) return {};
  if (stars == 1) names.resize(1);
  if (stars > names.size()) names.insert(names.begin(), stars - names.size(), "0");
  return names;
}

// "99", or "99/100" where the API says the limit in the same breath.
std::string NumberText(Format format, double value, double limit) {
  const std::string text = provider::WriteNumber(format, value);
  return format == Format::kPair ? fmt::format("{}/{}", text, provider::WriteNumber(format, limit)) : text;
}

std::string Key(std::string_view policy) { return fmt::format("\"{}\"", policy); }

// RateLimit-Policy and RateLimit, as drafts 8 and later have them.
void SayPolicies(const SpokenQuota& quota, SystemTime now, ReplyWriter* reply) {
  const std::string name = Key(QuotaName(*quota.rule, quota.star));
  const auto seconds = [](Micros span) { return std::chrono::ceil<std::chrono::seconds>(span).count(); };
  reply->SetHeader(quota.rule->policy_header,
                   fmt::format("{};q={};w={}", name, FormatNumber(quota.limit), seconds(quota.window)));
  reply->SetHeader(
      quota.rule->status_header,
      fmt::format("{};r={};t={}", name, FormatNumber(quota.remaining),
                  seconds(std::max(ToldReset(quota.manner, quota.reset_at, false, now) - now, Micros(0)))));
}

}  // namespace

bool CanBeSaid(const QuotaRule& rule) {
  if (rule.when.events || !rule.resource_pointer.empty()) return false;
  const auto said = [&](SignalField field) { return FirstSpoken(rule.Sources(field)) != nullptr; };
  return said(SignalField::kRemaining) || said(SignalField::kUsed) || said(SignalField::kLimit) ||
         said(SignalField::kReset) || SpeaksIetf(rule);
}

bool SaysExhaustion(const QuotaRule& rule) {
  const std::vector<FieldSource>& sources = rule.Sources(SignalField::kRemaining);
  return !sources.empty() && std::ranges::none_of(sources, Speaks);
}

bool SpeaksIetf(const QuotaRule& rule) { return !rule.status_header.empty() && !rule.policy_header.empty(); }

std::string NameForStar(const provider::Exporter& exporter, size_t index) {
  const QuotaRule& rule = exporter.quotas[index];
  if (SaysCounts(rule)) return "60";
  if (!HasStar(rule)) return "";
  std::vector<std::string> candidates;
  if (rule.window_rule == provider::WindowRule::kFromName) candidates = {"minute", "5h", "day"};
  candidates.insert(candidates.end(), {"requests", "calls"});
  for (const provider::UnitWord& word : rule.units) candidates.push_back(word.word);
  candidates.insert(candidates.end(), {"minute", "default", "burst", "other"});
  for (const std::string& name : candidates) {
    if (!NameTaken(exporter, FillStar(rule.quota, name)) && LeadsBack(exporter, index, name)) return name;
  }
  return candidates.front();
}

std::string QuotaName(const QuotaRule& rule, std::string_view star) {
  return SaysCounts(rule) ? fmt::format("{}-{}s", rule.quota, star) : FillStar(rule.quota, star);
}

std::string QuotaUnit(const QuotaRule& rule, std::string_view star) {
  for (const provider::UnitWord& word : rule.units) {
    if (HasStar(rule) && ContainsIgnoreCase(star, word.word)) return word.unit;
  }
  return rule.unit;
}

std::optional<Micros> KnownWindow(const QuotaRule& rule, std::string_view star, std::string_view resource) {
  for (const provider::ResourceException& exception : rule.by_resource) {
    if (exception.resource == resource && exception.window_seconds) {
      return SecondsToMicros(*exception.window_seconds);
    }
  }
  if (SaysCounts(rule)) return std::chrono::seconds(ParseDigits(star).value_or(60));
  if (rule.window_rule == provider::WindowRule::kFromName) {
    if (const auto seconds = provider::WindowFromName(QuotaName(rule, star)))
      return SecondsToMicros(*seconds);
  }
  for (const FieldSource& source : rule.Sources(SignalField::kWindow)) {
    if (!Speaks(source)) return SecondsToMicros(source.constant);
  }
  return std::nullopt;
}

std::optional<double> KnownLimit(const QuotaRule& rule) {
  const std::vector<FieldSource>& sources = rule.Sources(SignalField::kLimit);
  if (IsShare(rule) || FirstSpoken(sources) != nullptr || sources.empty()) return std::nullopt;
  return sources.front().constant;
}

double ShareOf(const QuotaRule& rule, double limit) {
  const std::vector<FieldSource>& sources = rule.Sources(SignalField::kLimit);
  return IsShare(rule) && !sources.empty() && !Speaks(sources.front()) ? sources.front().constant / limit : 1;
}

void SayQuota(const SpokenQuota& quota, SystemTime now, ReplyWriter* reply) {
  const QuotaRule& rule = *quota.rule;
  const double share = ShareOf(rule, quota.limit);
  const auto say = [&](SignalField field, const auto& text) {
    const FieldSource* source = FirstSpoken(rule.Sources(field));
    if (source != nullptr) reply->Say(*source, NamesFor(quota, *source), text(source->formats.front()));
  };
  const auto say_number = [&](SignalField field, double value) {
    say(field, [&](Format format) { return NumberText(format, value * share, quota.limit * share); });
  };
  const auto say_reset = [&](SystemTime at) {
    say(SignalField::kReset, [&](Format format) {
      const SystemTime told = ToldReset(quota.manner, at, provider::IsAbsolute(format), now);
      return provider::WriteMoment(format, told, now);
    });
  };
  const bool no_other = FirstSpoken(rule.Sources(SignalField::kRemaining)) == nullptr;
  if (SpeaksIetf(rule) && (quota.ietf || no_other)) {
    SayPolicies(quota, now, reply);
    return;
  }
  say_number(SignalField::kLimit, quota.limit);
  say_number(SignalField::kRemaining, quota.remaining);
  say_number(SignalField::kUsed, quota.limit - quota.remaining);
  say_reset(quota.reset_at);
  say(SignalField::kWindow,
      [&](Format format) { return provider::WriteMoment(format, now + quota.window, now); });
}

}  // namespace apiquota::simulate
