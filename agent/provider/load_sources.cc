// Where a field stands and how it is written: the sources of an exporter file.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

const std::vector<Format>& RetryAfterFormats() {
  static const std::vector<Format> formats = {Format::kDeltaSeconds, Format::kHttpDate, Format::kRfc3339,
                                              Format::kUnixSeconds};
  return formats;
}

// What a field may be written as, and what it is if the file does not say.
bool Allowed(SignalField field, Format format) {
  if (field == SignalField::kReset || field == SignalField::kRetryAfter) return IsTime(format);
  if (field == SignalField::kWindow) return IsSpan(format);
  if (format == Format::kPair) return field != SignalField::kLimit;  // its second number is the limit
  return !IsTime(format);
}

std::vector<Format> DefaultFormats(SignalField field, const YamlValue& value, std::string_view header) {
  if (field == SignalField::kWindow) return {Format::kDeltaSeconds, Format::kDuration};
  if (field == SignalField::kRetryAfter) {
    if (header.ends_with("-ms")) return {Format::kDeltaMillis};
    return RetryAfterFormats();
  }
  if (field == SignalField::kReset) {
    value.Fail("\"format\" is missing here: a reset is said in too many ways to guess");
    return {Format::kUnixSeconds};
  }
  return {Format::kDecimal};
}

std::vector<Format> Formats(SignalField field, const YamlValue& value, const YamlValue& owner,
                            std::string_view header) {
  std::vector<Format> formats;
  for (const YamlValue& item : value.AsListOrSingle()) {
    formats.push_back(item.AsEnum(FormatWords()));
    if (!Allowed(field, formats.back())) {
      item.Fail(fmt::format("\"{}\" can't be the format of {}", ToText(formats.back()), ToText(field)));
    }
  }
  return formats.empty() ? DefaultFormats(field, owner, header) : formats;
}

bool EscapesAreWhole(std::string_view pointer) {
  for (size_t at = pointer.find('~'); at != std::string_view::npos; at = pointer.find('~', at + 1)) {
    const std::string_view next = pointer.substr(at + 1, 1);
    if (next != "0" && next != "1") return false;
  }
  return true;
}

// "*=member" is for quotas, which it names.
std::string LoadNamingPointer(const YamlValue& value) {
  std::string pointer = value.AsString();
  if (!pointer.starts_with('/')) {
    value.Fail("expected a JSON pointer such as /error/code");
  } else if (!EscapesAreWhole(pointer)) {
    value.Fail("expected ~0 or ~1 where a JSON pointer has a ~: they stand for ~ and /");
  } else {
    const auto star = [](std::string_view segment) { return segment.starts_with('*'); };
    const std::vector<std::string_view> segments = Split(pointer, '/');
    if (static_cast<size_t>(std::ranges::count_if(segments, star)) > PointerSet::kStarsMax)
      value.Fail(fmt::format("expected at most {} *", PointerSet::kStarsMax));
  }
  return pointer;
}

}  // namespace

std::string LoadPointer(const YamlValue& value) {
  std::string pointer = LoadNamingPointer(value);
  if (pointer.find("/*=") != std::string::npos)
    value.Fail("*=member names quotas: expected * alone, for any element");
  return pointer;
}

namespace {

// /list/*=member/value: the value stands at /list/*/value, its quota's name at /list/*/member.
void ReadBodyPointer(const YamlValue& value, FieldSource* source) {
  source->name = LoadNamingPointer(value);
  const size_t star = source->name.find("/*=");
  if (star == std::string::npos) return;
  const size_t end = source->name.find('/', star + 1);
  const std::string member = source->name.substr(star + 3, end - star - 3);
  const std::string below = end == std::string::npos ? "" : source->name.substr(end);
  if (member.empty() || below.empty() || below.find("/*") != std::string::npos)
    value.Fail("expected the last * to be named, and a value below it: /list/*=member/value");
  const std::string element = source->name.substr(0, star) + "/*";
  source->name = element + below;
  source->named_by = element + "/" + member;
}

// item: 2 · item: name=value · field: name · pointer: /in/json · after: "text " or a list · except: "0"
void ReadPart(RuleMap* map, FieldSource* source) {
  const YamlValue item = map->Get("item");
  const YamlValue field = map->Get("field");
  const YamlValue pointer = map->Get("pointer");
  source->item_with = item.AsString();
  if (const auto number = ParseDigits(source->item_with)) {
    source->item = static_cast<size_t>(item.AsInteger(1, 32));
    source->item_with.clear();
  } else if (item.Present() && source->item_with.find('=') == std::string::npos) {
    item.Fail("expected an element's number, from 1, or a name=value that it holds");
  }
  source->field = LoadText(field);
  source->except = LoadText(map->Get("except"));
  const YamlValue after = map->Get("after");
  for (const YamlValue& lead : after.AsListOrSingle()) source->after.push_back(LoadText(lead));
  source->partial =
      item.Present() || field.Present() || pointer.Present() || after.Present() || !source->except.empty();
  if (after.Present() && (item.Present() || field.Present() || pointer.Present()))
    after.Fail("expected after alone, or item, field and pointer");
  if (!pointer.Present()) return;
  source->pointer = LoadNamingPointer(pointer);
  if (source->from != FieldSource::From::kHeader)
    pointer.Fail("a pointer reads JSON that stands in a header");
  if (item.Present() || field.Present()) pointer.Fail("expected a pointer, or item and field, not both");
}

bool SpeaksOfSeveral(const FieldSource& source) {
  const std::string& pointer = source.from == FieldSource::From::kBody ? source.name : source.pointer;
  return pointer.find("/*") != std::string::npos || std::ranges::any_of(source.formats, IsSeveral);
}

// A text of several values is one text in one format.
void CheckSeveral(const YamlValue& value, const FieldSource& source) {
  if (std::ranges::none_of(source.formats, IsSeveral)) return;
  if (source.formats.size() > 1 || source.from != FieldSource::From::kHeader || !source.pointer.empty() ||
      !source.field.empty() || source.item > 0 || !source.item_with.empty()) {
    value.Fail(fmt::format("\"{}\" stands alone: the whole of a header, in no other format",
                           ToText(source.formats.front())));
  }
}

// What the documentation says and no response does.
double LoadConstant(SignalField field, const YamlValue& value) {
  if (field == SignalField::kWindow) return LoadSpan(value);
  if (field == SignalField::kReset) value.Fail("a reset can't be a constant");
  if (field == SignalField::kRetryAfter) value.Fail("a time to wait can't be a constant: nobody said it");
  const double number = value.AsNumber();
  const bool limit = field == SignalField::kLimit;
  if (limit && number <= 0) value.Fail("expected a limit of more than 0");
  constexpr double kUnlimited = 1152921504606846976.0;  // 2^60: formats.h reads it as no number either
  if (number >= kUnlimited) value.Fail("expected a quantity: what is unlimited has no constant");
  if (number < 0) value.Fail("expected 0 or more: an amount can't be negative");
  return number;
}

}  // namespace

FieldSource LoadSource(SignalField field, const YamlValue& value) {
  FieldSource source;
  RuleMap map(value, "source");
  const YamlValue body = map.Get("body");
  const YamlValue constant = map.Get("value");
  const YamlValue format = map.Get("format");
  const YamlValue header = map.Get("header");
  if (int{body.Present()} + int{constant.Present()} + int{header.Present()} != 1) {
    value.Fail("expected exactly one of header, body and value");
  } else if (constant.Present()) {
    source.from = FieldSource::From::kConstant;
    source.constant = LoadConstant(field, constant);
    if (format.Present()) format.Fail("a value has no format");
  } else {
    source.from = body.Present() ? FieldSource::From::kBody : FieldSource::From::kHeader;
    if (body.Present()) ReadBodyPointer(body, &source);
    if (header.Present()) source.name = LoadHeaderName(header);
    source.formats = Formats(field, format, value, source.name);
    ReadPart(&map, &source);
    if (const YamlValue rate = map.Get("fill_rate"); rate.Present()) {
      source.fill_rate = LoadHeaderName(rate);
      if (field != SignalField::kWindow) rate.Fail("only a window follows from a fill rate");
    }
    CheckSeveral(value, source);
    source.several = SpeaksOfSeveral(source);
  }
  map.Finish();
  return source;
}

FieldSource LoadRetryAfterSource(const YamlValue& item) {
  if (!item.IsScalar()) return LoadSource(SignalField::kRetryAfter, item);
  FieldSource source;
  source.name = LoadHeaderName(item);
  source.formats = DefaultFormats(SignalField::kRetryAfter, item, source.name);
  return source;
}

FieldSource StandardRetryAfter() {
  FieldSource source;
  source.name = "retry-after";
  source.formats = RetryAfterFormats();
  return source;
}

}  // namespace apiquota::provider
