#include "provider/quota_reader.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace apiquota::provider {
namespace {

using Kind = HeaderTarget::Kind;

std::optional<double>& Slot(Reading* reading, SignalField field) {
  if (field == SignalField::kLimit) return reading->limit;
  return field == SignalField::kRemaining ? reading->remaining : reading->used;
}

bool HasNumbers(const Reading& reading) {
  return reading.limit || reading.remaining || reading.used || reading.reset_at;
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
  return std::string(pattern.substr(0, at)) + ToLower(star) + std::string(pattern.substr(at + 1));
}

}  // namespace

bool FitForLabel(std::string_view text) {
  constexpr size_t kLabelBytesMax = 128;
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
  return !text.empty() && text.size() <= kLabelBytesMax && std::ranges::all_of(text, printable);
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
  std::ranges::sort(readings, {}, place);
  return readings;
}

// Most responses speak of few of the rules.
bool QuotaReader::Mentioned(size_t rule_index) const {
  if (exporter_.quotas[rule_index].reads_body) return true;
  return std::ranges::any_of(captures_, [&](const Capture& capture) {
    const Kind kind = capture.target.kind;
    return capture.target.rule == rule_index &&
           (kind == Kind::kQuotaField || kind == Kind::kPolicy || kind == Kind::kStatus);
  });
}

void QuotaReader::ReadRule(size_t rule_index) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  if (rule.quota.find('*') != std::string::npos) {
    ReadFamily(rule_index);
    return;
  }
  Reading reading = StartReading(rule, {});
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
    Reading reading = StartReading(exporter_.quotas[rule_index], star);
    ReadFields(rule_index, star, &reading);
    Keep(std::move(reading), rule_index, false, true);
  }
}

Reading QuotaReader::StartReading(const QuotaRule& rule, std::string_view star) const {
  Reading reading;
  reading.resource = resource_;
  reading.quota = StarName(rule.quota, star);
  reading.unit = rule.unit;
  reading.kind = rule.kind;
  for (const UnitWord& word : rule.units) {
    if (!ContainsIgnoreCase(star, word.word)) continue;
    reading.unit = word.unit;
    break;
  }
  for (const ResourceException& exception : rule.by_resource) {
    if (exception.resource != resource_) continue;
    reading.quota = exception.quota;
    reading.unit = exception.unit;
  }
  return reading;
}

const Capture* QuotaReader::FindCapture(Kind kind, size_t rule, size_t field, size_t source,
                                        std::string_view star) const {
  for (const Capture& capture : captures_) {
    const HeaderTarget& target = capture.target;
    if (target.kind != kind || target.rule != rule || target.field != field || target.source != source)
      continue;
    if (capture.star == star || EqualsIgnoreCase(capture.star, star)) return &capture;
  }
  return nullptr;
}

std::string QuotaReader::ValueOf(const Capture& capture) const {
  return exchange_.fields.Joined(exchange_.fields[capture.at].name).value_or("");
}

void QuotaReader::ReadFields(size_t rule_index, std::string_view star, Reading* reading) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    bool found = false;
    for (size_t s = 0; s < rule.sources[f].size(); ++s) {
      const FieldSource& source = rule.sources[f][s];
      if (source.from == FieldSource::From::kHeader) {
        const Capture* capture = FindCapture(Kind::kQuotaField, rule_index, f, s, star);
        if (capture == nullptr) continue;
        const std::string_view text = exchange_.fields[capture->at].value;
        found = ReadOnce(kQuotaFields[f], source, text, capture->at, found, reading);
      } else if (source.from == FieldSource::From::kBody) {
        const auto text = http::FindBodyValue(exchange_.response_body, source.name);
        if (text) found = ReadOnce(kQuotaFields[f], source, *text, exchange_.fields.size(), found, reading);
      }
    }
  }
  if (rule.window_rule == WindowRule::kFromName && !reading->window_seconds) {
    reading->window_seconds = WindowFromName(reading->quota);
  }
  if (HasNumbers(*reading)) SetConstants(rule, reading);
}

// A field already found is read again for the mistakes of its other sources only.
bool QuotaReader::ReadOnce(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                           bool found, Reading* reading) {
  if (!found) return ReadField(field, source, text, at, reading);
  Reading scratch;
  ReadField(field, source, text, at, &scratch);
  return true;
}

bool QuotaReader::ReadField(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                            Reading* reading) {
  const std::string_view header =
      source.from == FieldSource::From::kHeader ? exchange_.fields[at].name : std::string_view(source.name);
  if (field == SignalField::kReset) {
    const auto moment = ChooseMoment(source.formats, text, exchange_.received_at);
    if (!moment) {
      const bool implausible = moment.error() == MomentError::kImplausible;
      Note(at, header, implausible ? "no time within 400 days" : "not a time in any format this API uses",
           implausible ? UnreadKind::kImplausible : UnreadKind::kMalformed, field);
      return false;
    }
    reading->reset_at = moment->at;
    reading->reset_absolute = moment->absolute;
    return true;
  }
  if (field != SignalField::kWindow) return ReadQuantity(field, source, text, at, reading);
  for (const Format format : source.formats) {
    const auto seconds = ReadSpanSeconds(format, text);
    if (!seconds || *seconds <= 0) continue;
    reading->window_seconds = seconds;
    return true;
  }
  Note(at, header, "not a span of time", UnreadKind::kMalformed, field);
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
  const std::string_view header =
      source.from == FieldSource::From::kHeader ? exchange_.fields[at].name : std::string_view(source.name);
  Note(at, header, first_error.message, UnreadKind::kMalformed, field);
  return false;
}

void QuotaReader::Note(size_t at, std::string_view header, std::string_view reason, UnreadKind kind,
                       SignalField field) {
  unread_->emplace_back(at, Unread{ToLower(header), std::string(reason), kind, field});
}

void QuotaReader::Keep(Reading reading, size_t rule_index, bool policy_named, bool named) {
  if (!HasNumbers(reading)) return;
  if (readings_.size() >= kReadingsMax) {
    Note(exchange_.fields.size(), reading.quota, "more quotas than one response has",
         UnreadKind::kImplausible, SignalField::kPolicy);
    return;
  }
  readings_.push_back({std::move(reading), rule_index * 2 + (policy_named ? 1 : 0), named,
                       exporter_.quotas[rule_index].window_rule});
}

}  // namespace apiquota::provider
