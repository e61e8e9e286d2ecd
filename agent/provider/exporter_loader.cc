// Exporter files, from YAML to rules. Every complaint names file, line and column (base/yaml.h).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/yaml.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {
namespace {

constexpr std::pair<std::string_view, QuotaKind> kKinds[] = {{"fixed", QuotaKind::kFixed},
                                                             {"sliding", QuotaKind::kSliding},
                                                             {"bucket", QuotaKind::kBucket},
                                                             {"concurrency", QuotaKind::kConcurrency},
                                                             {"balance", QuotaKind::kBalance}};
constexpr std::pair<std::string_view, ThrottleScope> kScopes[] = {
    {"primary", ThrottleScope::kPrimary},
    {"secondary", ThrottleScope::kSecondary},
    {"concurrency", ThrottleScope::kConcurrency},
    {"overload", ThrottleScope::kOverload},
    {"spend", ThrottleScope::kSpend},
    {"unknown", ThrottleScope::kUnknown}};
constexpr std::pair<std::string_view, WindowRule> kWindowWords[] = {{"derived", WindowRule::kDerived},
                                                                    {"from-name", WindowRule::kFromName}};
constexpr size_t kQuotaRulesMax = 1000;  // indexes are 16 bits wide

std::string NameOfApi(const YamlValue& value) {
  std::string name = value.AsString();
  const bool word = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!word) value.Fail("expected a name of lower-case letters, digits and -");
  return name;
}

std::string Header(const YamlValue& value) {
  std::string name = value.AsString();
  const bool token = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*';
  });
  if (!token || std::ranges::count(name, '*') > 1) {
    value.Fail(fmt::format("expected a header name in lower case, with at most one *, found \"{}\"", name));
  }
  return name;
}

std::string Pointer(const YamlValue& value) {
  std::string pointer = value.AsString();
  if (!pointer.starts_with('/')) value.Fail("expected a JSON pointer such as /error/code");
  return pointer;
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
    return {Format::kDeltaSeconds, Format::kHttpDate, Format::kRfc3339, Format::kUnixSeconds};
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

// {header: …, format: …} · {body: /pointer, format: …} · {value: 100}
FieldSource Source(SignalField field, const YamlValue& value) {
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
    source.name = body.Present() ? Pointer(body) : Header(header);
    source.formats = Formats(field, format, value, source.name);
  }
  map.Finish();
  return source;
}

void ReadWindow(const YamlValue& value, QuotaRule* rule, std::vector<FieldSource>* sources) {
  for (const YamlValue& item : value.AsListOrSingle()) {
    if (item.IsScalar()) {
      rule->window_rule = item.AsEnum(std::span<const std::pair<std::string_view, WindowRule>>(kWindowWords));
    } else {
      sources->push_back(Source(SignalField::kWindow, item));
    }
  }
}

// Every header of a rule holds a '*' or none does: one rule is one quota or a family of them.
void CheckStars(const YamlValue& value, const QuotaRule& rule) {
  const bool family = rule.quota.find('*') != std::string::npos;
  for (const auto& sources : rule.sources) {
    for (const FieldSource& source : sources) {
      if (source.from != FieldSource::From::kHeader) continue;
      if ((source.name.find('*') != std::string::npos) == family) continue;
      value.Fail(
          fmt::format("\"{}\": the quota's name and all its headers hold a * or none does", source.name));
    }
  }
}

ResourceException Exception(const std::string& resource, const YamlValue& value, const QuotaRule& rule) {
  ResourceException exception{resource, rule.quota, rule.unit, std::nullopt};
  YamlMap map = value.AsMap();
  if (const YamlValue quota = map.Get("quota"); quota.Present()) exception.quota = quota.AsString();
  if (const YamlValue unit = map.Get("unit"); unit.Present()) exception.unit = unit.AsString();
  if (const YamlValue window = map.Get("window"); window.Present()) {
    exception.window_seconds = ToSeconds(window.AsDuration());
  }
  map.Finish();
  return exception;
}

QuotaRule Quota(const YamlValue& value) {
  QuotaRule rule;
  YamlMap map = value.AsMap();
  rule.quota = map.Require("quota").AsString();
  rule.unit = map.Require("unit").AsString();
  rule.kind = map.Require("kind").AsEnum(std::span<const std::pair<std::string_view, QuotaKind>>(kKinds));
  for (size_t f = 0; f < kQuotaFields.size(); ++f) {
    const SignalField field = kQuotaFields[f];
    const YamlValue sources = map.Get(ToText(field));
    if (field == SignalField::kWindow) {
      ReadWindow(sources, &rule, &rule.sources[f]);
      continue;
    }
    for (const YamlValue& item : sources.AsListOrSingle()) rule.sources[f].push_back(Source(field, item));
  }
  if (const YamlValue header = map.Get("policy"); header.Present()) rule.policy_header = Header(header);
  if (const YamlValue header = map.Get("status"); header.Present()) rule.status_header = Header(header);
  for (const auto& [word, unit] : map.Get("units").AsMap().Entries())
    rule.units.push_back({word, unit.AsString()});
  for (const auto& [resource, entry] : map.Get("by_resource").AsMap().Entries()) {
    rule.by_resource.push_back(Exception(resource, entry, rule));
  }
  CheckStars(value, rule);
  map.Finish();
  return rule;
}

ResourceRule Resource(const YamlValue& value) {
  ResourceRule rule;
  YamlMap map = value.AsMap();
  if (const YamlValue header = map.Get("header"); header.Present()) {
    rule = {ResourceRule::From::kHeader, Header(header), ""};
  } else if (const YamlValue pointer = map.Get("request_body"); pointer.Present()) {
    rule = {ResourceRule::From::kRequestBody, Pointer(pointer), ""};
  } else if (const YamlValue found = map.Get("response_body"); found.Present()) {
    rule = {ResourceRule::From::kResponseBody, Pointer(found), ""};
  } else {
    rule = {ResourceRule::From::kPath, map.Require("path").AsString(), map.Require("value").AsString()};
  }
  map.Finish();
  return rule;
}

Condition OneCondition(Condition::On on, const YamlValue& value) {
  Condition condition;
  condition.on = on;
  YamlMap map = value.AsMap();
  condition.name =
      on == Condition::On::kHeader ? Header(map.Require("name")) : Pointer(map.Require("pointer"));
  const YamlValue equals = map.Get("equals");
  const YamlValue contains = map.Get("contains");
  if (equals.Present() && contains.Present()) contains.Fail("expected equals or contains, not both");
  if (equals.Present()) condition.test = Condition::Test::kEquals;
  if (contains.Present()) condition.test = Condition::Test::kContains;
  condition.text = equals.Present() ? equals.AsString() : contains.AsString();
  map.Finish();
  return condition;
}

ThrottleRule Throttled(const YamlValue& value) {
  ThrottleRule rule;
  YamlMap map = value.AsMap();
  for (const YamlValue& status : map.Require("status").AsListOrSingle()) {
    rule.statuses.push_back(static_cast<int>(status.AsInteger(100, 599)));
  }
  if (rule.statuses.empty()) value.Fail("expected at least one status");
  rule.path = map.Get("path").AsString();
  for (const YamlValue& item : map.Get("header").AsListOrSingle()) {
    rule.conditions.push_back(OneCondition(Condition::On::kHeader, item));
  }
  for (const YamlValue& item : map.Get("body").AsListOrSingle()) {
    rule.conditions.push_back(OneCondition(Condition::On::kBody, item));
  }
  rule.scope =
      map.Require("scope").AsEnum(std::span<const std::pair<std::string_view, ThrottleScope>>(kScopes));
  map.Finish();
  return rule;
}

ExporterInfo ReadInfo(YamlMap* map) {
  ExporterInfo info;
  info.name = NameOfApi(map->Require("name"));
  info.title = map->Require("title").AsString();
  info.docs = map->Get("docs").AsString();
  for (const YamlValue& host : map->Get("hosts").AsList()) {
    info.hosts.push_back(host.AsString());
    if (info.hosts.back() != ToLower(info.hosts.back())) host.Fail("expected a host name in lower case");
  }
  const YamlValue base_url = map->Get("base_url");
  info.base_url = base_url.AsString();
  if (base_url.Present() && !info.base_url.starts_with("https://"))
    base_url.Fail("expected a URL with https://");
  for (const YamlValue& item : map->Get("credential").AsListOrSingle()) {
    YamlMap credential = item.AsMap();
    info.credentials.push_back({Header(credential.Require("header")), credential.Get("scheme").AsString()});
    credential.Finish();
  }
  return info;
}

FieldSource RetryAfterSource(const YamlValue& item) {
  if (!item.IsScalar()) return Source(SignalField::kRetryAfter, item);
  const std::string header = Header(item);
  return {FieldSource::From::kHeader, header, DefaultFormats(SignalField::kRetryAfter, item, header), 0};
}

void ReadRules(YamlMap* map, Exporter* exporter) {
  for (const YamlValue& item : map->Get("resource").AsListOrSingle())
    exporter->resources.push_back(Resource(item));
  const YamlValue quotas = map->Get("quotas");
  for (const YamlValue& item : quotas.AsList()) exporter->quotas.push_back(Quota(item));
  if (exporter->quotas.size() > kQuotaRulesMax) quotas.Fail("more quotas than any API has");
  for (const YamlValue& item : map->Get("throttle").AsList()) exporter->throttles.push_back(Throttled(item));
  const YamlValue retry_after = map->Get("retry_after");
  for (const YamlValue& item : retry_after.AsListOrSingle()) {
    exporter->retry_after.push_back(RetryAfterSource(item));
  }
  if (!retry_after.Present()) {
    const auto formats = DefaultFormats(SignalField::kRetryAfter, retry_after, "retry-after");
    exporter->retry_after.push_back({FieldSource::From::kHeader, "retry-after", formats, 0});
  }
  for (const YamlValue& item : map->Get("ignore").AsListOrSingle()) exporter->ignore.push_back(Header(item));
  for (const YamlValue& item : map->Get("detect").AsListOrSingle()) exporter->detect.push_back(Header(item));
  if (const YamlValue merge = map->Get("merge_equal"); merge.Present())
    exporter->merge_equal = merge.AsBool();
}

}  // namespace

// What follows from the rules: exporter.cc.
void Compile(Exporter* exporter);

Result<ExporterPtr> LoadExporter(const std::string& text, const std::string& file) {
  auto document = YamlDocument::Parse(text, file);
  if (!document) return std::unexpected(document.error());
  auto exporter = std::make_shared<Exporter>();
  YamlMap root = document->Root().AsMap();
  exporter->info = ReadInfo(&root);
  ReadRules(&root, exporter.get());
  root.Finish();
  if (document->error()) return std::unexpected(*document->error());
  Compile(exporter.get());
  return ExporterPtr(std::move(exporter));
}

}  // namespace apiquota::provider
