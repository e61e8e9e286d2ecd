#include "proxy/client_address.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace apiquota::proxy {
namespace {

constexpr std::string_view kForwardedFor = "x-forwarded-for";
constexpr size_t kNetworkBytes = 8;

bool Trusted(const IpAddress& address, std::span<const IpNetwork> trusted) {
  return std::ranges::any_of(trusted, [&](const IpNetwork& network) { return network.Contains(address); });
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
std::optional<IpAddress> Hop(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    const std::string_view rest = end == std::string_view::npos ? "x" : text.substr(end + 1);
    if (!rest.empty() && !(rest.starts_with(':') && IsPort(rest.substr(1)))) return std::nullopt;
    text = text.substr(0, end + 1);
  } else if (const size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    if (!IsPort(text.substr(colon + 1))) return std::nullopt;
    text = text.substr(0, colon);
  }
  const auto address = IpAddress::Parse(text);
  return address ? std::optional(Unmapped(*address)) : std::nullopt;
}

// The client that a field's line leads to from a trusted hop; nothing: all of it is trusted, and `hop` is its
// first.
std::optional<IpAddress> ClientIn(std::string_view line, std::span<const IpNetwork> trusted, IpAddress* hop) {
  while (true) {
    const size_t comma = line.rfind(',');
    const std::string_view said = Trim(comma == std::string_view::npos ? line : line.substr(comma + 1));
    const auto before = Hop(said);
    if (!before) return *hop;
    *hop = *before;
    if (!Trusted(*hop, trusted)) return *hop;
    if (comma == std::string_view::npos) return std::nullopt;
    line = line.substr(0, comma);
  }
}

IpAddress ClientOf(IpAddress hop, std::span<const IpNetwork> trusted, const http::Fields& fields) {
  if (!Trusted(hop, trusted)) return hop;
  for (size_t i = fields.size(); i-- > 0;) {
    if (!EqualsIgnoreCase(fields[i].name, kForwardedFor)) continue;
    if (const auto client = ClientIn(fields[i].value, trusted, &hop)) return *client;
  }
  return hop;
}

}  // namespace

std::string ClientAddress(const IpAddress& peer, std::span<const IpNetwork> trusted,
                          const http::Fields& fields) {
  IpAddress hop = Unmapped(peer);
  if (hop == IpAddress{}) hop.bytes = {127, 0, 0, 1};  // a Unix socket's peer has none
  IpAddress client = trusted.empty() ? hop : ClientOf(hop, trusted, fields);
  if (!client.v6) return client.ToText();
  std::fill(client.bytes.begin() + kNetworkBytes, client.bytes.end(), uint8_t{0});
  return client.ToText().append("/64");
}

}  // namespace apiquota::proxy
