// Where a field stands and how it is written: the sources of an exporter file.
#include <fmt/format.h>

#include <algorithm>

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
  if (field == SignalField::kWindow) {
    return format == Format::kDeltaSeconds || format == Format::kDeltaMillis || format == Format::kDuration;
  }
  if (format == Format::kPair) return field != SignalField::kLimit;  // its second number is the limit
  return format == Format::kInteger || format == Format::kDecimal || format == Format::kParams;
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

}  // namespace

std::string LoadHeaderName(const YamlValue& value) {
  std::string name = value.AsString();
  const bool token = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*';
  });
  if (!token || std::ranges::count(name, '*') > 1) {
    value.Fail(fmt::format("expected a header name in lower case, with at most one *, found \"{}\"", name));
  }
  return name;
}

std::string LoadPointer(const YamlValue& value) {
  std::string pointer = value.AsString();
  if (!pointer.starts_with('/')) value.Fail("expected a JSON pointer such as /error/code");
  return pointer;
}

// {header: …, format: …} · {body: /pointer, format: …} · {value: 100}
FieldSource LoadSource(SignalField field, const YamlValue& value) {
  FieldSource source;
  YamlMap map = value.AsMap();
  const YamlValue body = map.Get("body");
  const YamlValue constant = map.Get("value");
  const YamlValue format = map.Get("format");
  const YamlValue header = map.Get("header");
  if (int{body.Present()} + int{constant.Present()} + int{header.Present()} != 1) {
    value.Fail("expected exactly one of header, body and value");
  } else if (constant.Present()) {
    source.from = FieldSource::From::kConstant;
    source.constant = field == SignalField::kWindow ? ToSeconds(constant.AsDuration()) : constant.AsNumber();
    if (format.Present()) format.Fail("a value has no format");
    if (field == SignalField::kReset) constant.Fail("a reset can't be a constant");
  } else {
    source.from = body.Present() ? FieldSource::From::kBody : FieldSource::From::kHeader;
    source.name = body.Present() ? LoadPointer(body) : LoadHeaderName(header);
    source.formats = Formats(field, format, value, source.name);
  }
  map.Finish();
  return source;
}

FieldSource LoadRetryAfterSource(const YamlValue& item) {
  if (!item.IsScalar()) return LoadSource(SignalField::kRetryAfter, item);
  const std::string header = LoadHeaderName(item);
  return {FieldSource::From::kHeader, header, DefaultFormats(SignalField::kRetryAfter, item, header), 0};
}

FieldSource StandardRetryAfter() {
  return {FieldSource::From::kHeader, "retry-after", RetryAfterFormats(), 0};
}

}  // namespace apiquota::provider
