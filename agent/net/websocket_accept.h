// The answer to a WebSocket client's key (RFC 6455 4.2.2). Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace apiquota::net {

// Sec-WebSocket-Accept for a Sec-WebSocket-Key; empty, which grants nothing, where OpenSSL has no SHA-1.
std::string WebSocketAccept(std::string_view key);

}  // namespace apiquota::net
