#include "net/websocket_accept.h"

#include <gtest/gtest.h>

namespace apiquota::net {
namespace {

TEST(WebSocketAcceptTest, IsThatOfTheRfcsExample) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace apiquota::net
