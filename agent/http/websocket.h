// The opening handshake of WebSocket as HTTP sees it (RFC 6455 4, RFC 9110 7.8): who asks for the switch, and
// whether an answer grants the one that was asked for. Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "http/codec.h"

namespace apiquota::http {

// What Upgrade says in requests and answers.
inline constexpr std::string_view kWebSocket = "websocket";

// The value of Sec-WebSocket-Key (16 bytes in base64), if the request is an opening handshake: GET, HTTP/1.1,
// no body, "websocket" in an Upgrade that Connection names, one key, one version. Anything else is a request
// like any other, whose Upgrade is nobody's business but this hop's.
std::optional<std::string_view> WebSocketKey(const RequestHead& head);

// Whether a 101 switches to WebSocket, and by the Sec-WebSocket-Accept that belongs to the request's key.
bool GrantsWebSocket(const ResponseHead& head, std::string_view accept);

}  // namespace apiquota::http
