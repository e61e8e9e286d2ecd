// "127.0.0.1:9429", "[::1]:9429", "localhost:9429" and ":9429" (all interfaces), as flags and files write
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/options.h"

namespace apiquota::config {

inline constexpr std::string_view kListenAddressExpected =
    "an address such as 127.0.0.1:9429, [::1]:9429 or :9429 (all interfaces)";

// Hosts are IP literals or "localhost"; port 0 means any free one.
std::optional<net::ListenAddress> ParseListenAddress(std::string_view text);

// Whether only this machine can reach it.
bool IsLoopback(const net::ListenAddress& address);

}  // namespace apiquota::config
