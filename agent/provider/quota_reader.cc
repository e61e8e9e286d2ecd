#include "provider/quota_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "provider/conditions.h"
#include "provider/label.h"

namespace apiquota::provider {
namespace {

using Kind = HeaderTarget::Kind;

std::optional<double>& Slot(Reading* reading, SignalField field) {
  if (field == SignalField::kLimit) return reading->limit;
  return field == SignalField::kRemaining ? reading->remaining : reading->used;
}

void SetConstants(const QuotaRule& rule, Reading* reading) {
  for (const ResourceException& exception : rule.by_resource) {
    if (exception.resource == reading->resource && !reading->window_seconds) {
      reading->window_seconds = exception.window_seconds;
    }
  }
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    for (const FieldSource& source : rule.sources[f]) {
      if (source.from != FieldSource::From::kConstant) continue;
      if (kQuotaFields[f] == SignalField::kWindow) {
        if (!reading->window_seconds) reading->window_seconds = source.constant;
      } else if (!Slot(reading, kQuotaFields[f])) {
        Slot(reading, kQuotaFields[f]) = source.constant;
        reading->derived.Add(kQuotaFields[f]);
      }
    }
  }
}

std::string StarName(std::string_view pattern, std::string_view star) {
  const size_t at = pattern.find('*');
  if (at == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, at)) + std::string(star) + std::string(pattern.substr(at + 1));
}

}  // namespace

const std::string& UnitByWord(const QuotaRule& rule, std::string_view name, const std::string* known) {
  for (const UnitWord& word : rule.units) {
    if (ContainsIgnoreCase(name, word.word)) return word.unit;
  }
  return known == nullptr ? rule.unit : *known;
}

std::vector<Reading> QuotaReader::ReadAll() {
  bool asked = false, holds = false;  // what this rule asks, and those before that ask the same
  for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
    const QuotaRule& rule = exporter_.quotas[r];
    if (!rule.when_repeats) asked = false;
    // Most responses speak of few of the rules.
    if (!rule.reads_body && captures_.OfRule(r).empty()) continue;
    if (!std::exchange(asked, true)) holds = Holds(rule.when, exchange_);
    if (holds) ReadRule(r);
  }
  std::vector<Reading> readings;
  if (readings_.empty()) return readings;
  const size_t count = MergeReadings({readings_.data(), readings_.size()}, exporter_.merge_equal);
  readings.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    Reading& reading = readings_[i].reading;
    const SystemTime asked_at =
        reading.reset_absolute ? exchange_.date.value_or(exchange_.received_at) : exchange_.received_at;
    DeriveFields(&reading, readings_[i].window_rule, asked_at);
    readings.push_back(std::move(reading));
  }
  const auto place = [](const Reading& reading) { return std::tie(reading.resource, reading.quota); };
  if (!std::ranges::is_sorted(readings, {}, place)) std::ranges::sort(readings, {}, place);
  return readings;
}

void QuotaReader::ReadRule(size_t rule_index) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  if (rule.several) {
    ReadSeveral(rule_index);
    return;
  }
  if (rule.quota.find('*') != std::string::npos) {
    ReadFamily(rule_index);
    return;
  }
  if (rule.policies) {
    Reading reading = StartReading(rule);
    ReadFields(rule_index, {}, &reading);
    ReadFurtherLines(rule_index, {}, &reading);
    ReadPolicies(rule_index, std::move(reading));
    return;
  }
  Reading* reading = Add();
  Start(rule, {}, resource_, reading);
  ReadFields(rule_index, {}, reading);
  ReadFurtherLines(rule_index, {}, reading);
  Settle(rule_index, false, false);
}

// One quota per name that stands for the '*', in the order the response brings them.
void QuotaReader::ReadFamily(size_t rule_index) {
  std::vector<std::string_view> stars;
  for (const Capture& capture : captures_.OfRule(rule_index)) {
    if (capture.target.kind != Kind::kQuotaField) continue;
    const auto same = [&](std::string_view star) { return EqualsIgnoreCase(star, capture.star); };
    if (std::ranges::any_of(stars, same) || !FitForLabel(capture.star)) continue;
    stars.push_back(capture.star);
  }
  for (const std::string_view star : stars) {
    unlimited_ = false;
    // The names of headers have no case; those in texts do.
    Reading* reading = Add();
    Start(exporter_.quotas[rule_index], ToLower(star), resource_, reading);
    ReadFields(rule_index, {star}, reading);
    ReadFurtherLines(rule_index, {star}, reading);
    Settle(rule_index, false, true);
  }
}

void QuotaReader::Start(const QuotaRule& rule, std::string_view star, std::string_view resource,
                        Reading* reading) const {
  reading->resource = resource;
  reading->kind = rule.kind;
  reading->kind_assumed = rule.kind_assumed;
  if (star.empty()) {
    reading->quota = rule.quota;
    reading->unit = rule.unit;
  } else {
    reading->quota = StarName(rule.quota, star);
    reading->unit = UnitByWord(rule, star);
  }
  for (const ResourceException& exception : rule.by_resource) {
    if (exception.resource != resource) continue;
    reading->quota = exception.quota;
    reading->unit = exception.unit;
  }
}

Reading QuotaReader::StartReading(const QuotaRule& rule) const {
  Reading reading;
  Start(rule, {}, resource_, &reading);
  return reading;
}

void QuotaReader::ReadFields(size_t rule_index, const QuotaKey& key, Reading* reading) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  constexpr size_t kResetField = 3;
  negative_limit_ = negative_remaining_ = false;
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    if (f != kResetField) ReadSources(rule_index, f, key, reading);
  }
  if (rule.window_rule == WindowRule::kFromName && !reading->window_seconds) {
    reading->window_seconds = WindowFromName(reading->quota);
  }
  expected_reset_ = ExpectedReset(rule, *reading);
  ReadSources(rule_index, kResetField, key, reading);
  if (negative_limit_ && negative_remaining_) {
    reading->used.reset();
    reading->reset_at.reset();
  }
  if (HasNumbers(*reading)) SetConstants(rule, reading);
}

void QuotaReader::ReadSources(size_t rule_index, size_t field, const QuotaKey& key, Reading* reading) {
  const std::vector<FieldSource>& sources = exporter_.quotas[rule_index].sources[field];
  bool found = false;
  for (size_t s = 0; s < sources.size(); ++s) {
    const FieldSource& source = sources[s];
    if (source.from == FieldSource::From::kConstant) continue;
    const auto said = TextOf(rule_index, field, s, key);
    if (!said) continue;
    if (!found) {
      found = ReadField(kQuotaFields[field], source, said->text, said->at, reading);
    } else {  // read again for the mistakes of its other sources only
      Reading scratch;
      ReadField(kQuotaFields[field], source, said->text, said->at, &scratch);
    }
  }
}

// When a bucket will be full, by its rate: what is missing, at limit per window.
std::optional<double> QuotaReader::ExpectedReset(const QuotaRule& rule, const Reading& reading) const {
  if (rule.kind != QuotaKind::kBucket || !reading.limit || !reading.remaining || !reading.window_seconds) {
    return std::nullopt;
  }
  if (*reading.limit <= 0) return std::nullopt;
  return std::max(0.0, *reading.limit - *reading.remaining) * *reading.window_seconds / *reading.limit;
}

bool QuotaReader::ReadReset(const FieldSource& source, std::string_view text, size_t at, Reading* reading) {
  const auto moment = ChooseMoment(source.formats, text, exchange_.received_at, expected_reset_);
  if (!moment) {
    const bool implausible = moment.error() == MomentError::kImplausible;
    Note(at, NameOf(source, at),
         implausible ? "no time within 400 days" : "not a time in any format this API uses",
         implausible ? UnreadKind::kImplausible : UnreadKind::kMalformed, SignalField::kReset);
    return false;
  }
  reading->reset_at = moment->at;
  reading->reset_absolute = moment->absolute;
  return true;
}

// A bucket that gets so much in each interval is full after limit / rate of them.
double QuotaReader::IntervalsToFill(const FieldSource& source, const Reading& reading) const {
  if (source.fill_rate.empty() || !reading.limit || *reading.limit <= 0) return 1;
  for (size_t f = 0; f < exchange_.fields.size(); ++f) {
    if (!EqualsIgnoreCase(exchange_.fields[f].name, source.fill_rate)) continue;
    const auto rate = ReadNumber(Format::kDecimal, exchange_.fields[f].value);
    if (rate && *rate > 0) return *reading.limit / *rate;
  }
  return 1;
}

bool QuotaReader::ReadField(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                            Reading* reading) {
  if (field == SignalField::kReset) return ReadReset(source, text, at, reading);
  if (field != SignalField::kWindow) return ReadQuantity(field, source, text, at, reading);
  for (const Format format : source.formats) {
    const auto seconds = ReadSpanSeconds(format, text);
    if (!seconds || *seconds <= 0) continue;
    reading->window_seconds = *seconds * IntervalsToFill(source, *reading);
    return true;
  }
  Note(at, NameOf(source, at), "not a span of time", UnreadKind::kMalformed, field);
  return false;
}

bool QuotaReader::ReadQuantity(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                               Reading* reading) {
  Error first_error;
  for (const Format format : source.formats) {
    auto number = ReadNumber(format, text);
    if (number && format == Format::kPair && !reading->limit) {
      if (const auto limit = ReadPairLimit(text)) reading->limit = *limit;
    }
    if (number && Refused(field, *number, *reading)) number = Fail(std::string(kNegative));
    if (number) {
      Slot(reading, field) = *number;
      return true;
    }
    if (first_error.message.empty()) first_error = number.error();
  }
  unlimited_ = unlimited_ || first_error.message == kTooLarge;
  Note(at, NameOf(source, at), first_error.message, UnreadKind::kMalformed, field);
  return false;
}

// Below 0 can be what is left of a balance, or of a limit that was overdrawn. The limit has been read before.
bool QuotaReader::Refused(SignalField field, double number, const Reading& reading) {
  if (number >= 0) return false;
  negative_limit_ = negative_limit_ || field == SignalField::kLimit;
  if (field == SignalField::kUsed) negative_remaining_ = negative_remaining_ || !reading.remaining;
  if (field != SignalField::kRemaining) return true;
  const bool meant = reading.kind == QuotaKind::kBalance || reading.limit > 0;
  negative_remaining_ = negative_remaining_ || !meant;
  return !meant;
}

std::string_view QuotaReader::NameOf(const FieldSource& source, size_t at) const {
  return source.from == FieldSource::From::kHeader ? exchange_.fields[at].name
                                                   : std::string_view(source.name);
}

void QuotaReader::Note(size_t at, std::string_view header, std::string_view reason, UnreadKind kind,
                       SignalField field) {
  unread_->emplace_back(at, Unread{ToLower(header), std::string(reason), kind, field});
}

void QuotaReader::Keep(Reading&& reading, size_t rule_index, bool policy_named, bool named) {
  *Add() = std::move(reading);
  Settle(rule_index, policy_named, named);
}

void QuotaReader::Settle(size_t rule_index, bool policy_named, bool named) {
  SourcedReading& last = readings_.back();
  const bool unlimited = unlimited_ && named && last.reading.window_seconds;
  const bool something = HasNumbers(last.reading) || unlimited;
  if (something && readings_.size() > kReadingsMax) {
    Note(exchange_.fields.size(), last.reading.quota, "more quotas than one response has",
         UnreadKind::kImplausible, SignalField::kPolicy);
  }
  if (!something || readings_.size() > kReadingsMax) {
    readings_.pop_back();
    return;
  }
  last.family = rule_index * 2 + (policy_named ? 1 : 0);
  last.reading.source.family = static_cast<uint16_t>(last.family);
  last.reading.source.events = exporter_.quotas[rule_index].when.events;
  last.named = named;
  last.from_body = exporter_.quotas[rule_index].reads_body;
  last.window_rule = exporter_.quotas[rule_index].window_rule;
}

}  // namespace apiquota::provider
