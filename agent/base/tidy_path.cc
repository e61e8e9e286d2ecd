#include "base/tidy_path.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota {
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

}  // namespace

std::string_view TidyPath(std::string_view path, std::string* scratch) {
  if (!NeedsTidying(path)) return path;
  scratch->clear();
  UndoEscapes(path, scratch);
  if (scratch->starts_with('/') && NeedsTidying(*scratch)) RemoveDotSegments(scratch);
  return *scratch;
}

std::string TidyPath(std::string_view path) {
  std::string scratch;
  return std::string(TidyPath(path, &scratch));
}

}  // namespace apiquota
