// The half of QuotaReader that finds what a source says: a header's value or a part of it, a body's scalar,
// and texts that speak of several quotas.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "provider/amounts.h"
#include "provider/label.h"
#include "provider/quota_reader.h"

namespace apiquota::provider {
namespace {

using Kind = HeaderTarget::Kind;

constexpr size_t kNoField = kQuotaFields.size();

}  // namespace

const Capture* QuotaReader::FindField(size_t rule, size_t field, size_t source, std::string_view star) {
  const Capture* found = nullptr;
  size_t lines = 0;
  for (const Capture& capture : captures_.OfRule(rule)) {
    const HeaderTarget& target = capture.target;
    if (target.field != field || target.source != source || target.kind != Kind::kQuotaField) continue;
    if (!EqualsIgnoreCase(capture.star, star)) continue;
    if (lines++ <= line_) found = &capture;
  }
  const SignalField said = kQuotaFields[field];
  if (said == SignalField::kRemaining || said == SignalField::kUsed) lines_ = std::max(lines_, lines);
  return found;
}

// Each limiter on an answer's way may add lines of its own under the same names (RFC 9110 section 5.3).
void QuotaReader::ReadFurtherLines(size_t rule_index, const QuotaKey& key, Reading* reading) {
  const auto stricter = [](const Reading& a, const Reading& b) {
    const auto ratio_a = UsedRatio({a.limit, a.remaining, a.used, {}});
    const auto ratio_b = UsedRatio({b.limit, b.remaining, b.used, {}});
    if (ratio_a && ratio_b) return *ratio_a > *ratio_b;
    return a.remaining && b.remaining && *a.remaining < *b.remaining;
  };
  for (line_ = 1; line_ < lines_; ++line_) {
    Reading other;
    Start(exporter_.quotas[rule_index], ToLower(key.star), resource_, &other);
    ReadFields(rule_index, key, &other);
    if (stricter(other, *reading)) *reading = std::move(other);
  }
  line_ = 0;
  lines_ = 1;
}

std::string QuotaReader::ValueOf(const Capture& capture) const {
  return exchange_.fields.Joined(exchange_.fields[capture.at].name).value_or("");
}

std::optional<QuotaReader::SourceText> QuotaReader::TextOf(size_t rule_index, size_t field,
                                                           size_t source_index, const QuotaKey& key) {
  const FieldSource& source = exporter_.quotas[rule_index].sources[field][source_index];
  if (source.from == FieldSource::From::kHeader && !source.several) {
    const Capture* capture = FindField(rule_index, field, source_index, key.star);
    if (capture == nullptr) return std::nullopt;
    const std::string_view text = exchange_.fields[capture->at].value;
    if (!source.partial) return SourceText{text, capture->at};
    return PartOf(source, text, capture->at, kQuotaFields[field]);
  }
  if (source.several) {
    const auto found = std::ranges::find_if(several_, [&](const Several& several) {
      return several.field == field && several.source == source_index && several.part.names == *key.names;
    });
    if (found == several_.end() || Trim(found->part.text) == source.except) return std::nullopt;
    return SourceText{found->part.text, found->at};
  }
  const auto text = http::FindBodyValue(exchange_.response_body, source.name);
  return text ? PartOf(source, *text, exchange_.fields.size(), kQuotaFields[field]) : std::nullopt;
}

std::optional<QuotaReader::SourceText> QuotaReader::PartOf(const FieldSource& source, std::string_view text,
                                                           size_t at, SignalField field) {
  if (!source.partial) return SourceText{text, at};
  const auto part = PickPart(source, text, &scratch_);
  if (!part) {
    if (part.error() == PartError::kMalformed) NoteNoPart(source, at, field);
    return std::nullopt;
  }
  if (!source.except.empty() && Trim(*part) == source.except) return std::nullopt;
  return SourceText{*part, at};
}

void QuotaReader::NoteNoPart(const FieldSource& source, size_t at, SignalField field) {
  const std::string_view reason = source.pointer.empty() ? "not a list as this API writes it" : "not JSON";
  Note(at, NameOf(source, at), reason, UnreadKind::kMalformed, field);
}

// One quota per name, in the order the texts bring them.
void QuotaReader::ReadSeveral(size_t rule_index) {
  CollectSeveral(rule_index);
  const QuotaRule& rule = exporter_.quotas[rule_index];
  std::vector<const std::vector<std::string>*> keys;
  for (const Several& several : several_) {
    const auto same = [&](const auto* names) { return *names == several.part.names; };
    if (std::ranges::none_of(keys, same)) keys.push_back(&several.part.names);
  }
  for (const auto* names : keys) {
    Reading* reading = Add();
    StartSeveral(rule, *names, reading);
    ReadFields(rule_index, {{}, names}, reading);
    Settle(rule_index, false, true);
  }
  lines_ = 1;
}

// What the stars of a body's value stand for; the last for the name that stands beside it, if that is how the
// quota is named: no name is none.
std::vector<std::string> QuotaReader::NamesAt(const FieldSource& source, const http::BodyValue& value) const {
  std::vector<std::string> names = value.stars;
  if (source.named_by.empty()) return names;
  const auto beside = [&](const http::BodyValue& other) {
    return other.pointer == source.named_by && other.stars == value.stars;
  };
  const auto name = std::ranges::find_if(exchange_.response_body, beside);
  names.back() = name == exchange_.response_body.end() ? "" : name->value;
  return names;
}

// The element's key gives way to the names that stand in it, each of which is spoken of.
std::vector<NamedPart> QuotaReader::ForEachResource(const QuotaRule& rule,
                                                    const std::vector<NamedPart>& parts) const {
  std::vector<NamedPart> named;
  for (const NamedPart& part : parts) {
    for (const http::BodyValue& value : exchange_.response_body) {
      if (value.pointer != rule.resource_pointer || value.stars.front() != part.names.front()) continue;
      named.push_back(part);
      named.back().names.front() = value.value;
    }
  }
  return named;
}

void QuotaReader::CollectSeveral(size_t rule_index) {
  several_.clear();
  const QuotaRule& rule = exporter_.quotas[rule_index];
  const auto add = [&](size_t f, size_t s, size_t at, std::vector<NamedPart> parts) {
    if (!rule.resource_pointer.empty()) parts = ForEachResource(rule, parts);
    for (NamedPart& part : parts) {
      const bool fit = std::ranges::all_of(part.names, FitForLabel);
      if (fit && several_.size() < kSeveralMax) several_.push_back({f, s, at, std::move(part)});
    }
  };
  for (const Capture& capture : captures_.OfRule(rule_index)) {
    if (capture.target.kind != Kind::kQuotaField) continue;
    const FieldSource& source = rule.sources[capture.target.field][capture.target.source];
    if (!source.several) continue;
    auto parts = PickSeveral(source, exchange_.fields[capture.at].value);
    if (parts) {
      add(capture.target.field, capture.target.source, capture.at, std::move(*parts));
    } else {
      NoteNoPart(source, capture.at, kQuotaFields[capture.target.field]);
    }
  }
  if (!rule.reads_body) return;
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    for (size_t s = 0; s < rule.sources[f].size(); ++s) {
      const FieldSource& source = rule.sources[f][s];
      if (source.from != FieldSource::From::kBody || !source.several) continue;
      for (const http::BodyValue& value : exchange_.response_body) {
        // A name alone is a quota, too: the rule's other sources and constants may speak of it.
        if (value.pointer == source.named_by) add(kNoField, 0, 0, {{NamesAt(source, value), ""}});
        if (value.pointer != source.name) continue;
        add(f, s, exchange_.fields.size(), {{NamesAt(source, value), value.value}});
      }
    }
  }
}

// The first name may be the resource's; the last is the quota's, or its window's.
void QuotaReader::StartSeveral(const QuotaRule& rule, const std::vector<std::string>& names,
                               Reading* reading) const {
  const bool named = !rule.resource_from_star || names.size() > 1;
  Start(rule, named ? std::string_view(names.back()) : std::string_view(),
        rule.resource_from_star ? std::string_view(names.front()) : resource_, reading);
  const auto counts = [](const FieldSource& source) {
    return std::ranges::find(source.formats, Format::kCounts) != source.formats.end();
  };
  const auto& limits = rule.Sources(SignalField::kLimit);
  const auto& used = rule.Sources(SignalField::kUsed);
  if (std::ranges::any_of(limits, counts) || std::ranges::any_of(used, counts)) {
    reading->quota = fmt::format("{}-{}s", rule.quota, names.back());
    reading->window_seconds = static_cast<double>(ParseDigits(names.back()).value_or(0));
  }
}

}  // namespace apiquota::provider
