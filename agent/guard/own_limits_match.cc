#include "guard/own_limits_match.h"

#include <algorithm>

#include "base/text.h"
#include "guard/path_pattern.h"

namespace apiquota::guard {
namespace {

// A part of what is hashed: no two lists of parts are the same bytes.
void Append(char kind, std::string_view text, std::string* bytes) {
  const auto size = static_cast<uint32_t>(text.size());
  const char head[] = {kind, static_cast<char>(size & 0xff), static_cast<char>(size >> 8 & 0xff),
                       static_cast<char>(size >> 16 & 0xff), static_cast<char>(size >> 24)};
  bytes->append(head, sizeof head).append(text);
}

void Append(char kind, uint64_t number, std::string* bytes) { Append(kind, std::to_string(number), bytes); }

}  // namespace

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
