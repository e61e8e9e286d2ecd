#include "guard/own_limits_match.h"

#include <algorithm>

#include "base/text.h"
#include "guard/path_pattern.h"

namespace apiquota::guard {
namespace {

bool Unreserved(char c) {  // RFC 3986 section 2.3
  return (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void UndoEscapes(std::string_view path, std::string* out) {
  for (size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? HexOf(path[i + 1]) : -1;
    const int low = high >= 0 ? HexOf(path[i + 2]) : -1;
    const char c = static_cast<char>(high * 16 + low);
    if (low < 0 || !(Unreserved(c) || c == '/')) {
      out->push_back(path[i]);
      continue;
    }
    out->push_back(c);
    i += 2;
  }
}

bool NeedsTidying(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%') return true;
    if (path[i] == '/' && i + 1 < path.size() && (path[i + 1] == '.' || path[i + 1] == '/')) return true;
  }
  return false;
}

// RFC 3986 section 5.2.4, of a path that begins with "/"; of slashes that follow each other one stays.
void RemoveDotSegments(std::string* path) {
  std::string out;
  for (size_t at = 0; at < path->size();) {
    const size_t end = std::min(path->find('/', at + 1), path->size());
    const std::string_view segment = std::string_view(*path).substr(at, end - at);
    const bool dots = segment == "/." || segment == "/..";
    if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
    if (!dots && segment != "/") out.append(segment);
    if (end == path->size() && (dots || segment == "/")) out.push_back('/');
    at = end;
  }
  *path = std::move(out);
}

// A part of what is hashed: no two lists of parts are the same bytes.
void Append(char kind, std::string_view text, std::string* bytes) {
  const auto size = static_cast<uint32_t>(text.size());
  const char head[] = {kind, static_cast<char>(size & 0xff), static_cast<char>(size >> 8 & 0xff),
                       static_cast<char>(size >> 16 & 0xff), static_cast<char>(size >> 24)};
  bytes->append(head, sizeof head).append(text);
}

void Append(char kind, uint64_t number, std::string* bytes) { Append(kind, std::to_string(number), bytes); }

}  // namespace

std::string_view PathForMatching(std::string_view path, std::string* scratch) {
  if (!NeedsTidying(path)) return path;
  scratch->clear();
  UndoEscapes(path, scratch);
  if (scratch->starts_with('/') && NeedsTidying(*scratch)) RemoveDotSegments(scratch);
  return *scratch;
}

bool PathMatches(std::string_view pattern, std::string_view path) {
  return pattern.empty() || FitsPattern(pattern, path);
}

bool MatchesCaller(const LimitMatch& match, std::string_view caller) {
  return match.callers.empty() ||
         (!caller.empty() && std::ranges::find(match.callers, caller) != match.callers.end());
}

bool Matches(const LimitMatch& match, const LimitedCall& call, std::string_view path) {
  if (!PathMatches(match.path, path)) return false;
  // A method is told from another by its case, too (RFC 9110 section 9.1); many servers take "post" for POST.
  const auto is_its = [&](const std::string& method) { return EqualsIgnoreCase(method, call.method); };
  if (!match.methods.empty() && std::ranges::none_of(match.methods, is_its)) return false;
  if (!MatchesCaller(match, call.caller)) return false;
  return std::ranges::all_of(match.headers, [&](const auto& header) {
    if (call.fields == nullptr) return false;
    const auto value = call.fields->Find(header.first);
    return value && *value == header.second && call.fields->Count(header.first) == 1;
  });
}

std::optional<std::string> Subject(const LimitRule& rule, const LimitedCall& call, std::string* bytes) {
  bytes->clear();
  for (const LimitSubject& part : rule.by) {
    switch (part.kind) {
      case LimitSubject::Kind::kCaller:
        if (call.caller.empty()) return "caller";
        Append('c', call.caller, bytes);
        break;
      case LimitSubject::Kind::kKey:
        if (call.key.empty()) return "key";
        Append('k', call.key, bytes);
        break;
      case LimitSubject::Kind::kAddress:
        if (call.address.empty()) return "address";
        Append('a', call.address, bytes);
        break;
      case LimitSubject::Kind::kHeader: {
        const size_t lines = call.fields != nullptr ? call.fields->Count(part.header) : 0;
        if (lines == 1) Append('h', *call.fields->Find(part.header), bytes);
        if (lines > 1) Append('h', *call.fields->Joined(part.header), bytes);
        if (lines == 0 || (lines == 1 && call.fields->Find(part.header)->empty()))
          return "header " + part.header;
        break;
      }
    }
  }
  return std::nullopt;
}

uint64_t DigestOf(const HashKey& key, const LimitRule& rule) {
  std::string bytes;
  Append('n', rule.name, &bytes);
  Append('a', static_cast<uint64_t>(rule.algorithm), &bytes);
  Append('u', static_cast<uint64_t>(rule.unit), &bytes);
  Append('w', static_cast<uint64_t>(rule.window.count()), &bytes);
  for (const LimitSubject& part : rule.by) {
    Append('b', static_cast<uint64_t>(part.kind), &bytes);
    Append('h', part.header, &bytes);
  }
  return KeyedHash(key, bytes);
}

uint64_t DigestOf(const HashKey& key, const LimitMatch& match) {
  std::string bytes;
  Append('p', match.path, &bytes);
  for (const std::string& method : match.methods) Append('m', method, &bytes);
  for (const std::string& caller : match.callers) Append('c', caller, &bytes);
  for (const auto& [name, value] : match.headers) {
    Append('n', name, &bytes);
    Append('v', value, &bytes);
  }
  return KeyedHash(key, bytes);
}

}  // namespace apiquota::guard
