#include "http/websocket.h"

#include <gtest/gtest.h>

namespace apiquota::http {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

RequestHead Handshake() {
  RequestHead head;
  head.method = "GET";
  head.connection_names_fields = true;
  head.fields.Add("Connection", "keep-alive, upgrade");
  head.fields.Add("Upgrade", "h2c, WebSocket");
  head.fields.Add("Sec-WebSocket-Version", "13");
  head.fields.Add("Sec-WebSocket-Key", kKey);
  return head;
}

TEST(WebSocketTest, AnOpeningHandshakeHasAKey) { EXPECT_EQ(WebSocketKey(Handshake()), kKey); }

TEST(WebSocketTest, AnythingElseIsNone) {
  RequestHead head = Handshake();
  head.method = "POST";
  EXPECT_FALSE(WebSocketKey(head));
  head = Handshake();
  head.minor_version = 0;
  EXPECT_FALSE(WebSocketKey(head));
  head = Handshake();
  head.framing = BodyFraming::kChunked;
  EXPECT_FALSE(WebSocketKey(head));
  for (const auto& [name, value] :
       {FieldView{"Content-Length", "0"}, FieldView{"Sec-WebSocket-Version", "13"},
        FieldView{"sec-websocket-key", kKey}}) {
    head = Handshake();
    head.fields.Add(name, value);
    EXPECT_FALSE(WebSocketKey(head)) << name;
  }
  head = Handshake();
  head.connection_names_fields = false;
  EXPECT_FALSE(WebSocketKey(head)) << "Upgrade that Connection does not name";
  head = RequestHead();
  head.method = "GET";
  head.connection_names_fields = true;
  for (const std::string_view key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ=x",
                                     "dGhlIHNhbXBsZS!ub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAA"}) {
    RequestHead other = head;
    other.fields.Add("Connection", "Upgrade");
    other.fields.Add("Upgrade", "websocket");
    other.fields.Add("Sec-WebSocket-Version", "13");
    other.fields.Add("Sec-WebSocket-Key", key);
    EXPECT_FALSE(WebSocketKey(other)) << key;
  }
}

TEST(WebSocketTest, OnlyASwitchWithTheProofGrants) {
  ResponseHead head;
  head.status = 101;
  head.fields.Add("Connection", "Upgrade");
  head.fields.Add("Upgrade", "websocket");
  head.fields.Add("Sec-WebSocket-Accept", "proof");
  EXPECT_TRUE(GrantsWebSocket(head, "proof"));
  EXPECT_FALSE(GrantsWebSocket(head, "Proof"));
  head.status = 200;
  EXPECT_FALSE(GrantsWebSocket(head, "proof"));
  head.status = 101;
  head.fields.Add("Upgrade", "h2c");
  EXPECT_FALSE(GrantsWebSocket(head, "proof"));
  head.fields.Clear();
  head.fields.Add("Connection", "Upgrade");
  head.fields.Add("Upgrade", "websocket");
  head.fields.Add("Sec-WebSocket-Accept", "");
  EXPECT_FALSE(GrantsWebSocket(head, "")) << "none was asked for";
}

}  // namespace
}  // namespace apiquota::http
