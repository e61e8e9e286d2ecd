// A proxy under test whose clients and upstreams speak WebSocket.
#pragma once

#include <string>
#include <string_view>

#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {

// RFC 6455 1.3's own example.
inline constexpr std::string_view kHandshakeFields =
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
inline constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

inline std::string Handshake(std::string_view fields = kHandshakeFields, std::string_view method = "GET",
                             std::string_view upgrade = "websocket") {
  return std::string(method) + " /demo/v1/realtime HTTP/1.1\r\nHost: localhost\r\n" +
         "Connection: keep-alive, Upgrade\r\nUpgrade: " + std::string(upgrade) + "\r\n" +
         std::string(fields) + "\r\n";
}

inline void Echo(Peer& peer) {
  peer.ReadHead();
  peer.Send(kSwitched);
  for (std::string bytes; !(bytes = peer.ReadSome()).empty();) peer.Send(bytes);
}

class ProxyTunnelTest : public ProxyTest {
 protected:
  // A client whose handshake has been granted.
  Peer Switched(int receive_buffer = 0) {
    Peer client = Connect(receive_buffer);
    client.Send(Handshake());
    const std::string head = client.ReadHead();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
    return client;
  }
};

}  // namespace apiquota::proxy
