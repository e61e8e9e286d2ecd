// Exporter files, from YAML to rules. Every complaint names file, line and column (base/yaml.h).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/yaml.h"
#include "provider/header_index.h"
#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

constexpr size_t kQuotaRulesMax = 1000;  // indexes are 16 bits wide

std::string NameOfApi(const YamlValue& value) {
  std::string name = value.AsString();
  const bool word = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!word) value.Fail("expected a name of lower-case letters, digits and -");
  return name;
}

// "api.example.com", "*.example.com"; no scheme, port or path.
bool IsHostPattern(std::string_view host) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '*';
  };
  return !host.empty() && std::ranges::all_of(host, fits) &&
         host.find_first_not_of("*.") != std::string_view::npos;
}

ResourceRule Resource(const YamlValue& value) {
  ResourceRule rule;
  RuleMap map(value, "resource");
  if (const YamlValue header = map.Get("header"); header.Present()) {
    rule = {ResourceRule::From::kHeader, LoadHeaderName(header), ""};
  } else if (const YamlValue pointer = map.Get("request_body"); pointer.Present()) {
    rule = {ResourceRule::From::kRequestBody, LoadPointer(pointer), ""};
  } else if (const YamlValue found = map.Get("response_body"); found.Present()) {
    rule = {ResourceRule::From::kResponseBody, LoadPointer(found), ""};
  } else {
    rule = {ResourceRule::From::kPath, LoadPathPrefix(map.Require("path")), ""};
    const bool star = rule.name.find('*') != std::string::npos;
    rule.value = LoadName(star ? map.Get("value") : map.Require("value"));
    if (star && !rule.value.empty()) map.Get("value").Fail("the part of the path at * is the value");
  }
  map.Finish();
  return rule;
}

// proxyable: false and why: a phrase, which go together.
std::string NotProxyable(RuleMap* map) {
  const YamlValue proxyable = map->Get("proxyable");
  const YamlValue why = map->Get("why");
  const bool refused = proxyable.Present() && !proxyable.AsBool();
  if (refused && why.AsString().empty()) proxyable.Fail("expected \"why\" beside it, for people");
  if (!refused && why.Present()) why.Fail("only an API with \"proxyable: false\" says why");
  return refused ? why.AsString() : "";
}

// {header: name, scheme: Bearer, claim: sub} · {query: name} ·
// {header: name, scheme: Basic, part: password, except: text}
CredentialRule Credential(const YamlValue& value) {
  CredentialRule rule;
  RuleMap map(value, "credential");
  const YamlValue query = map.Get("query");
  const YamlValue header = query.Present() ? map.Get("header") : map.Require("header");
  const YamlValue part = map.Get("part");
  const YamlValue except = map.Get("except");
  const YamlValue claim = map.Get("claim");
  const YamlValue scheme = map.Get("scheme");
  rule.query = query.AsString();
  if (!query.Present()) rule.header = LoadHeaderName(header);
  rule.scheme = LoadText(scheme);
  rule.except = LoadText(except);
  rule.claim = LoadText(claim);
  if (part.Present()) rule.part = part.AsEnum<CredentialPart>(kCredentialPartWords);
  const bool word = std::ranges::all_of(rule.query, [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("&=#%+?").find(c) == std::string_view::npos;
  });
  if (query.Present() && (!word || rule.query.empty()))
    query.Fail("expected a parameter's name, not escaped");
  if (query.Present() && (header.Present() || scheme.Present()))
    query.Fail("a parameter stands alone, without header or scheme");
  if (part.Present() && !EqualsIgnoreCase(rule.scheme, "Basic"))
    part.Fail("only Basic has a user and a password");
  if (claim.Present() && !EqualsIgnoreCase(rule.scheme, "Bearer"))
    claim.Fail("only Bearer carries a JSON Web Token");
  if (rule.claim.find_first_of("/~*") != std::string::npos) claim.Fail("expected a claim's name");
  if (except.Present() && !part.Present()) except.Fail("expected part beside it");
  map.Finish();
  return rule;
}

ExporterInfo ReadInfo(RuleMap* map) {
  ExporterInfo info;
  info.name = NameOfApi(map->Get("name"));
  info.title = LoadText(map->Get("title"));
  info.docs = map->Get("docs").AsString();
  for (const YamlValue& host : map->Get("hosts").AsList()) {
    info.hosts.push_back(host.AsString());
    if (!IsHostPattern(info.hosts.back())) host.Fail("expected a host name in lower case");
  }
  if (const YamlValue value = map->Get("self_hosted"); value.Present()) info.self_hosted = value.AsBool();
  info.not_proxyable = NotProxyable(map);
  const YamlValue base_url = map->Get("base_url");
  info.base_url = base_url.AsString();
  if (base_url.Present() && !info.base_url.starts_with("https://"))
    base_url.Fail("expected a URL with https://");
  for (const YamlValue& item : map->Get("credential").AsListOrSingle()) {
    info.credentials.push_back(Credential(item));
    if (info.credentials.front().part != CredentialPart::kWhole)
      item.Fail("expected a rule without part before it: that is how a key is sent");
  }
  for (const YamlValue& item : map->Get("links").AsListOrSingle()) {
    info.links.push_back(LoadHeaderName(item));
    if (info.links.back().find('*') != std::string::npos) item.Fail("expected one header, without *");
  }
  if (const YamlValue poll = map->Get("poll"); poll.Present()) info.poll = ReadPollRule(poll);
  return info;
}

// "x-example-*", or "x-example: {*}" where the header's value tells whose it is.
std::string LoadHint(const YamlValue& item) {
  const std::string text = item.AsString();
  const size_t colon = text.find(": ");
  if (colon == std::string::npos) return LoadHeaderName(item);
  const std::string_view name = std::string_view(text).substr(0, colon);
  const std::string_view value = std::string_view(text).substr(colon + 2);
  if (!IsHeaderPattern(name) || value.empty())
    item.Fail("expected a header name in lower case with at most one *, or \"name: value\"");
  return text;
}

// Whether a rule speaks of this quota, of some resource at least.
bool Names(const QuotaRule& rule, const std::string& quota) {
  if (quota.find('*') != std::string::npos) return false;  // what it finds names the quotas
  return rule.quota == quota ||
         std::ranges::find(rule.by_resource, quota, &ResourceException::quota) != rule.by_resource.end();
}

// Rules may share a quota, where an API says it here or there; it comes back in one way all the same.
void CheckOneKind(const YamlValue& last, const std::vector<QuotaRule>& rules) {
  const QuotaRule& rule = rules.back();
  const auto another = [&](const QuotaRule& known) {
    if (known.kind == rule.kind && known.kind_assumed == rule.kind_assumed) return false;
    const auto shared = [&](const ResourceException& exception) { return Names(known, exception.quota); };
    return Names(known, rule.quota) || std::ranges::any_of(rule.by_resource, shared);
  };
  if (std::ranges::any_of(rules, another)) {
    last.AsMap().Get("kind").Fail(
        "expected the kind that an earlier rule gives this quota: it comes back in one way");
  }
}

void ReadRules(RuleMap* map, Exporter* exporter) {
  for (const YamlValue& item : map->Get("resource").AsListOrSingle())
    exporter->resources.push_back(Resource(item));
  const YamlValue quotas = map->Get("quotas");
  for (const YamlValue& item : quotas.AsList()) {
    exporter->quotas.push_back(LoadQuotaRule(item));
    CheckOneKind(item, exporter->quotas);
  }
  if (exporter->quotas.size() > kQuotaRulesMax) quotas.Fail("more quotas than any API has");
  for (const YamlValue& item : map->Get("throttle").AsList())
    exporter->throttles.push_back(LoadThrottleRule(item));
  const YamlValue retry_after = map->Get("retry_after");
  for (const YamlValue& item : retry_after.AsListOrSingle()) {
    exporter->retry_after.push_back(LoadRetryAfterSource(item));
  }
  exporter->usage = LoadUsage(map->Get("usage"));
  exporter->info.charge = LoadCharge(map->Get("charge"));
  exporter->info.batch = LoadBatch(map->Get("batch"));
  exporter->refusal = LoadRefusal(map->Get("refusal"));
  if (const YamlValue free = map->Get("not_modified_is_free"); free.Present())
    exporter->info.not_modified_is_free = free.AsBool();
  if (!retry_after.Present()) exporter->retry_after.push_back(StandardRetryAfter());
  for (const YamlValue& item : map->Get("ignore").AsListOrSingle())
    exporter->ignore.push_back(LoadHeaderName(item));
  for (const YamlValue& item : map->Get("detect").AsListOrSingle())
    exporter->detect.push_back(LoadHint(item));
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
  RuleMap root(document->Root(), "");
  exporter->info = ReadInfo(&root);
  ReadRules(&root, exporter.get());
  root.Finish();
  if (!CollectBodyAsks(exporter.get()))
    document->Root().Fail("more JSON pointers than the 64 that can be read");
  if (document->error()) return std::unexpected(*document->error());
  Compile(exporter.get());
  return ExporterPtr(std::move(exporter));
}

}  // namespace apiquota::provider
