#include "cli/redact.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/redact_body.h"
#include "cli/redact_text.h"
#include "cli/redact_value.h"
#include "http/date.h"
#include "http/query.h"
#include "provider/body_scan.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::cli {
namespace {

using provider::Exporter;
using provider::FieldSource;
constexpr std::string_view kSomeHost = "example.com";

// What a customer's own part of a host is called: "acme.zendesk.com" is "example.zendesk.com".
std::string HostWithoutCustomer(const Exporter& exporter, const std::string& host) {
  for (const std::string& pattern : exporter.info.hosts) {
    if (pattern == host) return host;
  }
  for (const std::string& pattern : exporter.info.hosts) {
    const size_t star = pattern.find('*');
    if (star == std::string::npos || !provider::MatchesHeaderPattern(host, pattern)) continue;
    return pattern.substr(0, star) + "example" + pattern.substr(star + 1);
  }
  return std::string(kSomeHost);
}

// How much of the path rules name, and where a part of it follows that names the resource.
struct Named {
  size_t length = 0;
  size_t resource_at = std::string_view::npos;
};

Named NamedByRules(const Exporter& exporter, std::string_view path) {
  Named named;
  const auto look = [&](std::string_view prefix) {
    prefix = prefix.substr(0, prefix.find_first_of("*?"));
    if (!path.starts_with(prefix)) return false;
    named.length = std::max(named.length, prefix.size());
    return true;
  };
  for (const provider::QuotaRule& rule : exporter.quotas) look(rule.when.path);
  for (const provider::ThrottleRule& rule : exporter.throttles) look(rule.path);
  for (const provider::ResourceRule& rule : exporter.resources) {
    if (rule.from != provider::ResourceRule::From::kPath || !look(rule.name)) continue;
    if (const size_t star = rule.name.find('*'); star != std::string::npos) named.resource_at = star;
  }
  if (exporter.info.poll) look(exporter.info.poll->path);
  return named;
}

// Whose name the next segment is: "/accounts/acme/models".
bool IsFollowedByAName(std::string_view segment) {
  constexpr std::string_view kOwners[] = {
      "account", "accounts", "org",           "orgs",      "organization", "organizations", "user",
      "users",   "team",     "teams",         "workspace", "workspaces",   "project",       "projects",
      "tenant",  "tenants",  "subscriptions", "customers", "repos",        "groups"};
  return std::ranges::any_of(kOwners, [&](auto owner) { return EqualsIgnoreCase(segment, owner); });
}

std::string PathWithoutNames(const Exporter& exporter, std::string_view path) {
  const Named named = NamedByRules(exporter, path);
  std::string out;
  size_t end = 0;
  bool name = false;
  for (const std::string_view segment : Split(path, '/')) {
    if (end > 0) out += '/';
    const bool resource = end <= named.resource_at && named.resource_at <= end + segment.size();
    end += segment.size() + 1;
    const bool harmless = resource ? ShowsNoIdentifier(segment, kDigitsOfNames) : NamesAnEndpoint(segment);
    const bool shown = end <= named.length + 1 || segment.empty() || (harmless && (!name || resource));
    out += shown ? segment : kRedacted;
    name = IsFollowedByAName(segment);
  }
  return out;
}

// {"model": "…"}, if some rule reads that.
std::string RequestBody(const Exporter& exporter, const std::string& body) {
  const provider::PointerSet& pointers = exporter.info.request_pointers;
  provider::BodyScanner scanner(pointers, pointers.all());
  scanner.Write(body);
  nlohmann::ordered_json document;
  for (const http::BodyValue& value : scanner.TakeValues()) {
    if (value.pointer.find('*') != std::string::npos) continue;
    // A model of somebody's own making: "ft:gpt-4o:acme::abc".
    std::string name = value.value;
    if (name.starts_with("ft:")) name = name.substr(0, name.find(':', 3));
    document[nlohmann::ordered_json::json_pointer(value.pointer)] = WithoutIdentifiers(name, kDigitsOfNames);
  }
  return document.is_null() ? ""
                            : document.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

// JSON that stands in a header, if rules read it by pointers.
std::optional<std::string> HeaderJson(const std::vector<Interest>& interests, std::string_view value) {
  std::map<std::string, std::vector<Interest>> wanted;
  std::vector<FieldSource> sources;  // as if the text were the whole of what they read
  sources.reserve(interests.size());
  for (const Interest& interest : interests) {
    if (interest.source == nullptr || interest.source->pointer.empty()) continue;
    sources.push_back(*interest.source);
    sources.back().pointer.clear();
    sources.back().several = false;
    std::string pointer = interest.source->pointer;
    if (const size_t named = pointer.find("/*="); named != std::string::npos) {
      const size_t end = std::min(pointer.find('/', named + 1), pointer.size());
      wanted[pointer.substr(0, named) + "/*/" + pointer.substr(named + 3, end - named - 3)].push_back({});
      pointer = pointer.substr(0, named) + "/*" + pointer.substr(end);
    }
    wanted[pointer].push_back({Interest::Kind::kAmount, &sources.back()});
  }
  if (wanted.empty()) return std::nullopt;
  const auto json = nlohmann::ordered_json::parse(value.begin(), value.end(), nullptr, false);
  if (!json.is_structured()) return std::string(kRedacted);
  return JsonRedactor(wanted).Redacted(json).dump(-1, ' ', true,
                                                  nlohmann::ordered_json::error_handler_t::replace);
}

// Of the types that make a difference to how a body is read.
std::string_view MediaType(std::string_view value) {
  constexpr std::string_view kTypes[] = {"application/json",
                                         "text/event-stream",
                                         "application/x-ndjson",
                                         "application/jsonl",
                                         "text/plain",
                                         "application/problem+json",
                                         "text/html",
                                         "application/xml",
                                         "application/grpc",
                                         "application/x-amz-json-1.0",
                                         "application/x-amz-json-1.1"};
  const std::string type = ToLower(Trim(value.substr(0, value.find(';'))));
  const auto* known = std::ranges::find(kTypes, type);
  if (known != std::end(kTypes)) return *known;
  return type.ends_with("+json") ? "application/json" : "application/octet-stream";
}

class Writer {
 public:
  Writer(const Exporter& exporter, const PrintedExchange& printed, const RecordingOptions& options)
      : exporter_(exporter), printed_(printed), options_(options) {}

  std::string Write() {
    const std::string host = HostWithoutCustomer(exporter_, printed_.host);
    const std::string path = PathWithoutNames(exporter_, printed_.path);
    const std::string method = LooksLikeCode(printed_.method) ? printed_.method : "GET";
    out_ = fmt::format("# source: {}\n# request: {} https://{}{}\n", options_.source, method, host, path);
    if (const std::string body = RequestBody(exporter_, printed_.request_body); !body.empty()) {
      out_ +=
          fmt::format("{} {} HTTP/1.1\nhost: {}\n\n{}\n\n", method, path.empty() ? "/" : path, host, body);
    }
    out_ += fmt::format("HTTP/1.1 {}\n", printed_.status);
    if (!printed_.fields.Find("date")) Put("date", http::FormatHttpDate(options_.received_at));
    for (size_t i = 0; i < printed_.fields.size(); ++i)
      Field(ToLower(printed_.fields[i].name), printed_.fields[i].value);
    out_ += "\n";
    return out_ + JsonRedactor(BodyInterests(exporter_)).RedactedBody(printed_.body);
  }

 private:
  void Put(std::string_view name, std::string_view value) { out_ += fmt::format("{}: {}\n", name, value); }

  void Field(const std::string& name, std::string_view value) {
    if (name == "date") {
      const auto date = http::ParseHttpDate(value, options_.received_at);
      return Put(name, http::FormatHttpDate(date.value_or(options_.received_at)));
    }
    if (name == "content-type") return Put(name, MediaType(value));
    if (name == "age" && ParseDigits(value)) return Put(name, value);
    const auto match = exporter_.index->Find(name);
    const bool number = ParseDecimal(Trim(value)) && Trim(value).size() <= kDigitsOfAmounts;
    if (!match.targets.empty()) {
      const std::vector<Interest> interests = HeaderInterests(exporter_, name);
      if (const auto json = HeaderJson(interests, value)) return Put(Named(name, match.star), *json);
      if (interests.empty()) return Put(Named(name, match.star), number ? value : kRedacted);
      return Put(Named(name, match.star), Reduced(value, interests));
    }
    const auto pattern = [&](const std::string& p) { return provider::MatchesHeaderPattern(name, p); };
    const auto same = [&](const provider::Unread& u) { return u.header == name; };
    const bool wait = name == "retry-after" || name == "retry-after-ms";
    if (wait || std::ranges::any_of(options_.unread, same) ||
        std::ranges::any_of(exporter_.detect, pattern)) {
      Put(WithoutIdentifiers(name, 4), number ? value : kRedacted);
    }
  }

  // The part of a name that a "*" stands for may be somebody's.
  static std::string Named(const std::string& name, std::string_view star) {
    if (star.empty()) return name;
    const std::string part = ToLower(star);
    const size_t at = name.find(part);
    return name.substr(0, at) + WithoutIdentifiers(part, 4) + name.substr(at + part.size());
  }

  const Exporter& exporter_;
  const PrintedExchange& printed_;
  const RecordingOptions& options_;
  std::string out_;
};

bool NamesACredential(const Exporter& exporter, std::string_view name) {
  const auto rule = [&](const auto& r) {
    return EqualsIgnoreCase(r.header, name) || (!r.query.empty() && http::MeansName(name, r.query));
  };
  const auto part = [&](std::string_view word) { return ContainsIgnoreCase(name, word); };
  constexpr std::string_view kWords[] = {"key", "token", "secret", "auth", "cookie", "password", "signature"};
  return std::ranges::any_of(exporter.info.credentials, rule) || std::ranges::any_of(kWords, part);
}

// Values that were secret in the request or the response, wherever else they may have been repeated.
class Secrets {
 public:
  Secrets(const Exporter& exporter, const PrintedExchange& printed) {
    for (const auto* fields : {&printed.request_fields, &printed.fields}) {
      for (size_t i = 0; i < fields->size(); ++i) {
        const auto [name, value] = (*fields)[i];
        if (exporter.index->Find(name).targets.empty()) AddField(NamesACredential(exporter, name), value);
      }
    }
    for (const std::string_view member : Split(printed.query, '&')) {
      const size_t equals = std::min(member.find('='), member.size());
      const std::string_view value = member.substr(std::min(equals + 1, member.size()));
      if (NamesACredential(exporter, member.substr(0, equals)) || !ShowsNoIdentifier(value, 4)) Add(value);
    }
  }

  void TakeOutOf(std::string* text) const {
    for (const std::string& secret : secrets_) {
      for (size_t at = text->find(secret); at != std::string::npos; at = text->find(secret, at)) {
        text->replace(at, secret.size(), kRedacted);
        at += kRedacted.size();
      }
    }
  }

 private:
  void Add(std::string_view text) {
    constexpr size_t kShortest = 6;
    constexpr std::string_view kSchemes[] = {"bearer", "digest", "apikey"};
    const auto scheme = [&](std::string_view word) { return EqualsIgnoreCase(word, text); };
    const bool number = ParseDecimal(text) && text.size() <= kDigitsOfAmounts;
    if (text.size() >= kShortest && !number && std::ranges::none_of(kSchemes, scheme)) secrets_.emplace(text);
  }

  // "Bearer x", "a=x; b=y"
  void AddField(bool credential, std::string_view value) {
    for (const std::string_view word : Split(value, ' ')) {
      for (std::string_view part : Split(word, ';')) {
        if (part.ends_with(',')) part.remove_suffix(1);
        if (!credential && ShowsNoIdentifier(part, 4)) continue;
        Add(part);
        if (const size_t equals = part.find('='); equals != std::string_view::npos)
          Add(part.substr(equals + 1));
      }
    }
  }

  std::set<std::string, std::less<>> secrets_;
};

}  // namespace

std::string RedactedRecording(const Exporter& exporter, const PrintedExchange& printed,
                              const RecordingOptions& options) {
  std::string text = Writer(exporter, printed, options).Write();
  Secrets(exporter, printed).TakeOutOf(&text);
  return text;
}

}  // namespace apiquota::cli
