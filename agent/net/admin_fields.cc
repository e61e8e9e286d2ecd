#include "net/admin_fields.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace apiquota::net {
namespace {

// What the page of an agent may do: run nothing of others, be framed by nobody.
constexpr std::pair<std::string_view, std::string_view> kSecurityFields[] = {
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"}};

void AppendLine(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string AdminFields(const std::vector<std::pair<std::string, std::string>>& configured) {
  std::string lines;
  for (const auto& [name, value] : kSecurityFields) {
    const bool replaced = std::ranges::any_of(
        configured, [&](const auto& field) { return EqualsIgnoreCase(field.first, name); });
    if (!replaced) AppendLine(name, value, &lines);
  }
  for (const auto& [name, value] : configured) AppendLine(name, value, &lines);
  return lines;
}

}  // namespace apiquota::net
