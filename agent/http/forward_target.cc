// Targets and base URLs: RFC 9112 3.2, RFC 3986 3 and 5.2.4.
#include <algorithm>

#include "base/find_byte.h"
#include "base/text.h"
#include "http/forward.h"

namespace apiquota::http {
namespace {

constexpr std::string_view kRoot = "/";

std::unexpected<Refusal> RefuseTarget(std::string_view detail) {
  return std::unexpected(Refusal{400, "target", detail});
}

bool IsVisible(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f;
}

// What a segment's bytes may mean to an upstream that decodes: %2e is '.', and with `deep` %2f and
// %5c are '/'.
char DecodedByte(std::string_view text, size_t* i, bool deep) {
  const char c = text[*i];
  if (c != '%' || *i + 2 >= text.size()) return c;
  const std::string_view code = text.substr(*i + 1, 2);
  char decoded = c;
  if (EqualsIgnoreCase(code, "2e")) decoded = '.';
  if (deep && (EqualsIgnoreCase(code, "2f") || EqualsIgnoreCase(code, "5c"))) decoded = '/';
  if (decoded != c) *i += 2;
  return decoded;
}

// The least depth that dot segments lead to, relative to where `path` starts. Empty segments don't
// count as depth: there are servers that merge slashes.
int LeastDepthAfterDots(std::string_view path, bool deep) {
  int depth = 0;
  int least = 1 << 30;
  size_t dots = 0;
  size_t others = 0;
  for (size_t i = 0; i <= path.size(); ++i) {
    const char c = i < path.size() ? DecodedByte(path, &i, deep) : '/';
    if (c != '/') {
      ++(c == '.' ? dots : others);
      continue;
    }
    if (others == 0 && dots == 2) {
      least = std::min(least, --depth);
    } else if (others > 0 || dots > 2) {
      ++depth;
    }
    dots = others = 0;
  }
  return least;
}

// Judged as the bytes stand and as a decoding upstream may see them.
bool DotsLeave(std::string_view path, int depth) {
  if (path.find("..") == std::string_view::npos && path.find('%') == std::string_view::npos) return false;
  return LeastDepthAfterDots(path, false) < depth || LeastDepthAfterDots(path, true) < depth;
}

std::string_view PathOf(std::string_view path_and_query) {
  return path_and_query.substr(0, path_and_query.find('?'));
}

std::optional<std::string_view> WithoutScheme(std::string_view text, bool* tls) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  *tls = StartsWithIgnoreCase(text, kTls);
  if (*tls) return text.substr(kTls.size());
  if (StartsWithIgnoreCase(text, kPlain)) return text.substr(kPlain.size());
  return std::nullopt;
}

// Host and port of an authority that IsHost; a missing or empty port leaves `port` as it is.
void SplitAuthority(std::string_view authority, std::string* host, uint16_t* port) {
  const bool literal = authority.starts_with('[');
  const size_t host_end = literal ? authority.find(']') : std::min(authority.find(':'), authority.size());
  *host = ToLower(authority.substr(literal ? 1 : 0, literal ? host_end - 1 : host_end));
  const size_t colon = authority.find(':', host_end);
  if (colon == std::string_view::npos) return;
  if (const auto number = ParseDigits(authority.substr(colon + 1))) *port = static_cast<uint16_t>(*number);
}

}  // namespace

Result<BaseUrl> ParseBaseUrl(std::string_view text) {
  // Never repeated: user, path, query and fragment may hold a credential.
  const auto fail = [](std::string_view why) { return Fail("base URL: " + std::string(why)); };
  if (!std::ranges::all_of(text, IsVisible) || text.find('\\') != std::string_view::npos) {
    return fail("spaces, control bytes and '\\' must be percent-encoded");
  }
  BaseUrl base;
  const auto rest = WithoutScheme(text, &base.tls);
  if (!rest) return fail("expected http:// or https://");
  if (rest->find_first_of("?#") != std::string_view::npos) return fail("a query or fragment is not allowed");
  const size_t slash = std::min(rest->find('/'), rest->size());
  const std::string_view authority = rest->substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return fail("no user or password is allowed");
  if (!IsHost(authority)) return fail("expected a host and optionally a port");
  const uint16_t own_port = base.tls ? 443 : 80;
  base.port = own_port;
  SplitAuthority(authority, &base.host, &base.port);
  if (base.port == 0) return fail("port 0 can't be connected to");
  std::string_view path = rest->substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (DotsLeave(path, 1 << 30)) return fail("dot segments are not allowed");
  base.path = path;
  base.authority = authority.starts_with('[') ? "[" + base.host + "]" : base.host;
  if (base.port != own_port) base.authority += ":" + std::to_string(base.port);
  return base;
}

std::expected<std::string_view, Refusal> RequestPath(std::string_view target) {
  const size_t invisible = FindByte(target, 0, [](auto byte) { return (byte <= 0x20) | (byte == 0x7f); });
  if (invisible < target.size()) return RefuseTarget("a space or control byte in the target");
  if (target.find('#') != std::string_view::npos) return RefuseTarget("a fragment in the target");
  std::string_view path_and_query = target;
  if (!target.starts_with('/')) {
    bool tls = false;
    const auto rest = WithoutScheme(target, &tls);
    if (!rest) return RefuseTarget("expected a path, or an http or https URL");
    const size_t end = std::min(rest->find_first_of("/?"), rest->size());
    if (!IsHost(rest->substr(0, end))) return RefuseTarget("the URL's authority is not a host");
    path_and_query = end == rest->size() ? kRoot : rest->substr(end);
    if (path_and_query.starts_with('?')) return RefuseTarget("a URL without a path");
  }
  const std::string_view path = PathOf(path_and_query);
  if (path.find('\\') != std::string_view::npos) return RefuseTarget("'\\' in the path");
  if (path.find("%00") != std::string_view::npos) return RefuseTarget("%00 in the path");
  if (DotsLeave(path, 1)) return RefuseTarget("dot segments leave the route");
  return path_and_query;
}

std::optional<std::string_view> TargetAuthority(std::string_view target) {
  constexpr std::string_view kSchemeEnd = "://";
  const size_t scheme = target.find(kSchemeEnd);
  if (target.starts_with('/') || scheme == std::string_view::npos) return std::nullopt;
  const std::string_view rest = target.substr(scheme + kSchemeEnd.size());
  return rest.substr(0, rest.find_first_of("/?"));
}

std::optional<std::string_view> PathUnderRoute(std::string_view path_and_query, std::string_view route) {
  if (route == kRoot) route = {};
  if (!path_and_query.starts_with(route)) return std::nullopt;
  const std::string_view under = path_and_query.substr(route.size());
  if (!under.empty() && under.front() != '/' && under.front() != '?') return std::nullopt;
  if (DotsLeave(PathOf(under), 0)) return std::nullopt;
  return under;
}

std::string_view WithoutRepeatedBase(std::string_view path_and_query, std::string_view base_path) {
  if (base_path.empty()) return path_and_query;
  return PathUnderRoute(path_and_query, base_path).value_or(path_and_query);
}

}  // namespace apiquota::http
