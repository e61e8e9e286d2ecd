// "127.0.0.1:9429", "[::1]:9429", "localhost:9429" (::1 and 127.0.0.1), ":9429" (all interfaces) and
// "unix:/run/apiquota/proxy.sock", as flags and files write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/options.h"

namespace apiquota::config {

inline constexpr std::string_view kListenAddressExpected =
    "an address such as 127.0.0.1:9429, [::1]:9429, :9429 (all interfaces) or unix:/run/apiquota.sock";

// Hosts are IP literals or "localhost"; port 0 means any free one. The path of a Unix socket is absolute and
// at most 107 bytes long.
std::optional<net::ListenAddress> ParseListenAddress(std::string_view text);

// Whether only this machine can reach it, as it can a Unix socket.
bool IsLoopback(const net::ListenAddress& address);

}  // namespace apiquota::config
