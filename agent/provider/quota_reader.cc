#include "provider/quota_reader.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "provider/conditions.h"

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
        reading->derived.push_back(kQuotaFields[f]);
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

bool FitForLabel(std::string_view text) {
  constexpr size_t kLabelBytesMax = 128;
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
  return !text.empty() && text.size() <= kLabelBytesMax && std::ranges::all_of(text, printable);
}

std::optional<std::string> UnitByWord(const QuotaRule& rule, std::string_view name) {
  for (const UnitWord& word : rule.units) {
    if (ContainsIgnoreCase(name, word.word)) return word.unit;
  }
  return std::nullopt;
}

std::vector<Reading> QuotaReader::ReadAll() {
  readings_.reserve(exporter_.quotas.size());
  for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
    if (Mentioned(r)) ReadRule(r);
  }
  std::vector<Reading> readings;
  readings.reserve(readings_.size());
  for (SourcedReading& sourced : MergeReadings(std::move(readings_), exporter_.merge_equal)) {
    Reading& reading = sourced.reading;
    const SystemTime asked_at =
        reading.reset_absolute ? exchange_.date.value_or(exchange_.received_at) : exchange_.received_at;
    DeriveFields(&reading, sourced.window_rule, asked_at);
    readings.push_back(std::move(reading));
  }
  const auto place = [](const Reading& reading) { return std::tie(reading.resource, reading.quota); };
  if (!std::ranges::is_sorted(readings, {}, place)) std::ranges::sort(readings, {}, place);
  return readings;
}

// Most responses speak of few of the rules.
bool QuotaReader::Mentioned(size_t rule_index) const {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  if (!Holds(rule.when, exchange_)) return false;
  if (rule.reads_body) return true;
  return std::ranges::any_of(captures_, [&](const Capture& capture) {
    const Kind kind = capture.target.kind;
    return capture.target.rule == rule_index &&
           (kind == Kind::kQuotaField || kind == Kind::kPolicy || kind == Kind::kStatus);
  });
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
  Reading reading = StartReading(rule, {}, resource_);
  ReadFields(rule_index, {}, &reading);
  ReadPolicies(rule_index, std::move(reading));
}

// One quota per name that stands for the '*', in the order the response brings them.
void QuotaReader::ReadFamily(size_t rule_index) {
  std::vector<std::string_view> stars;
  for (const Capture& capture : captures_) {
    if (capture.target.kind != Kind::kQuotaField || capture.target.rule != rule_index) continue;
    const auto same = [&](std::string_view star) { return EqualsIgnoreCase(star, capture.star); };
    if (std::ranges::any_of(stars, same) || !FitForLabel(capture.star)) continue;
    stars.push_back(capture.star);
  }
  for (const std::string_view star : stars) {
    unlimited_ = false;
    // The names of headers have no case; those in texts do.
    Reading reading = StartReading(exporter_.quotas[rule_index], ToLower(star), resource_);
    ReadFields(rule_index, {star}, &reading);
    Keep(std::move(reading), rule_index, false, true);
  }
}

Reading QuotaReader::StartReading(const QuotaRule& rule, std::string_view star,
                                  std::string_view resource) const {
  Reading reading;
  reading.resource = resource;
  reading.quota = StarName(rule.quota, star);
  reading.kind = rule.kind;
  reading.unit = UnitByWord(rule, star).value_or(rule.unit);
  for (const ResourceException& exception : rule.by_resource) {
    if (exception.resource != resource) continue;
    reading.quota = exception.quota;
    reading.unit = exception.unit;
  }
  return reading;
}

void QuotaReader::ReadFields(size_t rule_index, const QuotaKey& key, Reading* reading) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  constexpr size_t kResetField = 3;
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    if (f != kResetField) ReadSources(rule_index, f, key, reading);
  }
  if (rule.window_rule == WindowRule::kFromName && !reading->window_seconds) {
    reading->window_seconds = WindowFromName(reading->quota);
  }
  expected_reset_ = ExpectedReset(rule, *reading);
  ReadSources(rule_index, kResetField, key, reading);
  if (HasNumbers(*reading)) SetConstants(rule, reading);
}

void QuotaReader::ReadSources(size_t rule_index, size_t field, const QuotaKey& key, Reading* reading) {
  const std::vector<FieldSource>& sources = exporter_.quotas[rule_index].sources[field];
  bool found = false;
  for (size_t s = 0; s < sources.size(); ++s) {
    if (sources[s].from == FieldSource::From::kConstant) continue;
    const auto said = TextOf(rule_index, field, s, key);
    if (said) found = ReadOnce(kQuotaFields[field], sources[s], said->text, said->at, found, reading);
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

// A field already found is read again for the mistakes of its other sources only.
bool QuotaReader::ReadOnce(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                           bool found, Reading* reading) {
  if (!found) return ReadField(field, source, text, at, reading);
  Reading scratch;
  ReadField(field, source, text, at, &scratch);
  return true;
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

bool QuotaReader::ReadField(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                            Reading* reading) {
  if (field == SignalField::kReset) return ReadReset(source, text, at, reading);
  if (field != SignalField::kWindow) return ReadQuantity(field, source, text, at, reading);
  for (const Format format : source.formats) {
    const auto seconds = ReadSpanSeconds(format, text);
    if (!seconds || *seconds <= 0) continue;
    reading->window_seconds = seconds;
    return true;
  }
  Note(at, NameOf(source, at), "not a span of time", UnreadKind::kMalformed, field);
  return false;
}

bool QuotaReader::ReadQuantity(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                               Reading* reading) {
  Error first_error;
  for (const Format format : source.formats) {
    const auto number = ReadNumber(format, text);
    if (number) {
      Slot(reading, field) = *number;
      if (format == Format::kPair && !reading->limit) {
        if (const auto limit = ReadPairLimit(text)) reading->limit = *limit;
      }
      return true;
    }
    if (first_error.message.empty()) first_error = number.error();
  }
  unlimited_ = unlimited_ || first_error.message == kTooLarge;
  Note(at, NameOf(source, at), first_error.message, UnreadKind::kMalformed, field);
  return false;
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
  const bool unlimited = unlimited_ && named && reading.window_seconds;
  if (!HasNumbers(reading) && !unlimited) return;
  if (readings_.size() >= kReadingsMax) {
    Note(exchange_.fields.size(), reading.quota, "more quotas than one response has",
         UnreadKind::kImplausible, SignalField::kPolicy);
    return;
  }
  readings_.push_back({std::move(reading), rule_index * 2 + (policy_named ? 1 : 0), named,
                       exporter_.quotas[rule_index].window_rule});
}

}  // namespace apiquota::provider
