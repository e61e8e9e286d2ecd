#include "config/web_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/loader.h"
#include "config/web_tls.h"

namespace apiquota::config {
namespace {

// The fields the toolkit lets be set, with the values it takes; none: any.
struct HeaderRule {
  std::string_view name;
  std::array<std::string_view, 2> values;
};
constexpr HeaderRule kHeaders[] = {
    {"Content-Security-Policy", {}},
    {"Strict-Transport-Security", {}},
    {"X-Content-Type-Options", {"nosniff"}},
    {"X-Frame-Options", {"deny", "sameorigin"}},
    {"X-XSS-Protection", {}},
};

void CheckHeader(const HeaderRule& rule, const YamlValue& value, std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!printable) return value.Fail("expected one line of visible ASCII");
  if (rule.values[0].empty() || std::ranges::find(rule.values, text) != rule.values.end()) return;
  std::string expected(rule.values[0]);
  if (!rule.values[1].empty()) expected += fmt::format(" or {}", rule.values[1]);
  value.Fail(fmt::format("expected {}", expected));
}

void LoadHttp(YamlMap section, net::WebOptions* out) {
  if (const YamlValue http2 = section.Get("http2"); http2.Present()) out->http2_asked_for = http2.AsBool();
  YamlMap headers = section.Get("headers").AsSection();
  for (const HeaderRule& rule : kHeaders) {
    const YamlValue value = headers.Get(rule.name);
    const std::string text = value.Present() ? value.AsString() : "";
    if (text.empty()) continue;  // "unset if blank"
    CheckHeader(rule, value, text);
    out->headers.emplace_back(rule.name, text);
  }
  headers.Finish();
  section.Finish();
}

// "$2y$10$" and 53 characters of bcrypt's own base64: salt and digest.
bool IsBcrypt(std::string_view hash) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto base64 = [&](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
  };
  const bool head =
      hash.size() == 60 && (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$"));
  if (!head || !digit(hash[4]) || !digit(hash[5]) || hash[6] != '$') return false;
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  return cost >= 4 && cost <= 31 && std::ranges::all_of(hash.substr(7), base64);
}

// Hashes never enter a message.
void LoadUsers(const YamlValue& users, net::WebOptions* out) {
  if (users.IsScalar() || users.IsList()) return users.Fail("expected a map of names to bcrypt hashes");
  for (const auto& [name, value] : users.AsMap().Entries()) {
    std::string hash = value.AsString();
    if (name.empty() || name.find(':') != std::string::npos) {
      value.Fail("a user's name can't be empty or hold a colon (RFC 7617 2)");
    } else if (value.IsScalar() && !IsBcrypt(hash)) {
      value.Fail("expected the password's bcrypt hash, such as $2y$10$… (htpasswd -nBC 10 NAME prints one)");
    }
    out->users.push_back({name, Secret(std::move(hash))});
  }
}

void LoadRateLimit(YamlMap section, net::WebRateLimit* out) {
  const YamlValue interval = section.Get("interval");
  const bool zero = interval.IsScalar() && interval.AsString() == "0";
  if (interval.Present() && !zero) out->interval = interval.AsDuration();
  LoadCount(section, "burst", 0, 1'000'000, &out->burst);
  if (out->interval < Micros(0)) interval.Fail("expected a duration of 0 or more");
  if (out->interval > Micros(0) && out->burst == 0) {
    section.value().Fail("a rate limit without a burst lets nothing through; expected burst: 1 or more");
  }
  section.Finish();
}

}  // namespace

Result<net::WebOptions> LoadWebConfig(const std::string& text, const std::string& file,
                                      const LoadContext& context) {
  auto document = YamlDocument::Parse(text, file);
  if (!document) return std::unexpected(document.error());
  net::WebOptions options;
  const Loader loader{context, DirectoryOf(file)};
  YamlMap root = document->Root().AsSection();
  options.tls = LoadWebTls(root.Get("tls_server_config").AsMap(), loader);
  LoadHttp(root.Get("http_server_config").AsSection(), &options);
  LoadUsers(root.Get("basic_auth_users"), &options);
  LoadRateLimit(root.Get("rate_limit").AsMap(), &options.rate_limit);
  root.Finish();
  if (document->error()) return std::unexpected(*document->error());
  return options;
}

Result<net::WebOptions> LoadWebConfigFile(const std::string& file, const LoadContext& context,
                                          std::string_view named) {
  const Result<std::string> text = ReadConfigText(file, named);
  if (!text) return std::unexpected(text.error());
  return LoadWebConfig(*text, file, context);
}

Status CheckForProxy(const net::WebOptions& options) {
  if (!options.users.empty()) {
    return Fail(
        "basic_auth_users can't be had on the proxy: the Authorization header belongs to the API; "
        "expected client certificates, or \"callers\" with tokens");
  }
  if (!options.headers.empty()) {
    return Fail("http_server_config.headers can't be had on the proxy: its answers are the API's own");
  }
  if (options.rate_limit.interval > Micros(0)) {
    return Fail("rate_limit can't be had on the proxy: its clients would take it for the API's own");
  }
  return {};
}

}  // namespace apiquota::config
