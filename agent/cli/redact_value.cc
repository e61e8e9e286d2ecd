#include "cli/redact_value.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/redact_text.h"
#include "provider/formats.h"
#include "provider/header_index.h"
#include "provider/source_parts.h"

namespace apiquota::cli {
namespace {

using provider::Condition;
using provider::FieldSource;
using Kind = Interest::Kind;

bool IsAmount(const FieldSource& source, std::string_view text) {
  return text.size() <= provider::kNumberBytesMax &&
         std::ranges::any_of(source.formats, [&](provider::Format format) {
           if (provider::IsSeveral(format) || format == provider::Format::kParams) return false;
           if (provider::IsTime(format)) {
             return provider::ReadMoment(format, text, SystemTime()).has_value() ||
                    provider::ReadSpanSeconds(format, text).has_value();
           }
           return provider::ReadNumber(format, text).has_value() || ParseDecimal(text).has_value();
         });
}

// "<after> 20s": what stands before and behind it is nobody's business.
std::optional<std::string> AroundAfter(const FieldSource& source, std::string_view text) {
  const auto parts = provider::PickTexts(source, text);
  if (!parts || parts->empty()) return std::nullopt;
  std::string leads;
  for (const std::string& lead : source.after) leads.append(lead).append(lead.ends_with(' ') ? "" : " ");
  return leads + (IsAmount(source, parts->front()) ? parts->front()
                                                   : WithoutIdentifiers(parts->front(), kDigitsOfAmounts));
}

// A partition key (RateLimit's `pk`) says whose quota it is.
std::string WithoutPartitionKey(std::string_view text) {
  std::string out(text);
  for (size_t at = out.find(";pk="); at != std::string::npos; at = out.find(";pk=", at)) {
    const size_t end = out.find_first_of(";,", at + 1);
    out.erase(at, end == std::string::npos ? end : end - at);
  }
  return out;
}

// What one interest keeps of the text; nothing if it is not served by it.
std::optional<std::string> Kept(const Interest& interest, std::string_view text) {
  switch (interest.kind) {
    case Kind::kAmount:
      if (interest.source != nullptr) {  // else a policy or its status
        if (!interest.source->after.empty()) return AroundAfter(*interest.source, text);
        if (IsAmount(*interest.source, Trim(text))) return std::string(text);
      }
      return WithoutIdentifiers(WithoutPartitionKey(text), kDigitsOfAmounts);
    case Kind::kCount:
      if (ParseDecimal(text)) return std::string(text);
      return std::nullopt;
    case Kind::kName:
      return WithoutIdentifiers(text, kDigitsOfNames);
    case Kind::kCondition:
      break;
  }
  const Condition& condition = *interest.condition;
  const bool equals = condition.test == Condition::Test::kEquals;
  if (equals && EqualsIgnoreCase(Trim(text), condition.text)) return std::string(text);
  if (condition.test == Condition::Test::kContains && ContainsIgnoreCase(text, condition.text)) {
    return condition.text;
  }
  return std::nullopt;
}

void AddConditions(const std::vector<Condition>& conditions, Condition::On on, std::string_view name,
                   std::vector<Interest>* interests) {
  for (const Condition& condition : conditions) {
    const bool same = on == Condition::On::kHeader ? provider::MatchesHeaderPattern(name, condition.name)
                                                   : condition.name == name;
    if (condition.on == on && same) interests->push_back({Kind::kCondition, nullptr, &condition});
  }
}

}  // namespace

std::map<std::string, std::vector<Interest>> BodyInterests(const provider::Exporter& exporter) {
  std::map<std::string, std::vector<Interest>> interests;
  const auto add_source = [&](const FieldSource& source) {
    if (source.from != FieldSource::From::kBody) return;
    interests[source.name].push_back({Kind::kAmount, &source});
    if (!source.named_by.empty()) interests[source.named_by].push_back({Kind::kName});
  };
  for (const provider::QuotaRule& rule : exporter.quotas) {
    for (const auto& sources : rule.sources) std::ranges::for_each(sources, add_source);
    if (!rule.resource_pointer.empty()) interests[rule.resource_pointer].push_back({Kind::kName});
  }
  std::ranges::for_each(exporter.retry_after, add_source);
  for (const provider::ResourceRule& rule : exporter.resources) {
    if (rule.from == provider::ResourceRule::From::kResponseBody)
      interests[rule.name].push_back({Kind::kName});
  }
  for (const provider::UsageRule& rule : exporter.usage) {
    for (const std::string& pointer : rule.pointers) interests[pointer].push_back({Kind::kCount});
  }
  for (const provider::ThrottleRule& rule : exporter.throttles) {
    for (const Condition& condition : rule.conditions) {
      if (condition.on == Condition::On::kHeader) continue;
      interests[condition.name].push_back({Kind::kCondition, nullptr, &condition});
    }
  }
  return interests;
}

std::vector<Interest> HeaderInterests(const provider::Exporter& exporter, std::string_view name) {
  using Target = provider::HeaderTarget::Kind;
  std::vector<Interest> interests;
  for (const provider::HeaderTarget& target : exporter.index->Find(name).targets) {
    switch (target.kind) {
      case Target::kQuotaField:
        interests.push_back(
            {Kind::kAmount, &exporter.quotas[target.rule].sources.at(target.field)[target.source]});
        break;
      case Target::kPolicy:
      case Target::kStatus:
        interests.push_back({Kind::kAmount});
        break;
      case Target::kResource:
        interests.push_back({Kind::kName});
        break;
      case Target::kRetryAfter:
        interests.push_back({Kind::kAmount, &exporter.retry_after[target.source]});
        break;
      case Target::kKnown:
        break;
    }
  }
  for (const provider::QuotaRule& rule : exporter.quotas) {
    AddConditions(rule.when.headers, Condition::On::kHeader, name, &interests);
    for (const auto& sources : rule.sources) {
      for (const FieldSource& source : sources) {
        if (!source.fill_rate.empty() && EqualsIgnoreCase(source.fill_rate, name)) {
          interests.push_back({Kind::kCount});
        }
      }
    }
  }
  for (const provider::ThrottleRule& rule : exporter.throttles) {
    AddConditions(rule.conditions, Condition::On::kHeader, name, &interests);
  }
  return interests;
}

std::string Reduced(std::string_view text, const std::vector<Interest>& interests) {
  std::vector<std::string> parts;
  for (const Interest& interest : interests) {
    const auto kept = Kept(interest, text);
    if (!kept || kept->empty()) continue;
    if (*kept == text) return *kept;
    if (std::ranges::find(parts, *kept) == parts.end()) parts.push_back(*kept);
  }
  if (parts.empty()) return std::string(kRedacted);
  std::string joined = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) joined.append(" ... ").append(parts[i]);
  return joined;
}

}  // namespace apiquota::cli
