#include "config/listen_address.h"

#include <gtest/gtest.h>

namespace apiquota::config {
namespace {

TEST(ListenAddressTest, ReadsAndWritesEveryForm) {
  const std::pair<const char*, net::ListenAddress> cases[] = {
      {"127.0.0.1:9429", {"127.0.0.1", 9429}},
      {"localhost:0", {"localhost", 0}},
      {":4290", {"", 4290}},
      {"0.0.0.0:80", {"0.0.0.0", 80}},
      {"[::1]:65535", {"::1", 65535}},
      {"[::]:1", {"::", 1}},
      {"unix:/run/a b:1.sock", {"", 0, "/run/a b:1.sock"}},
  };
  for (const auto& [text, address] : cases) {
    EXPECT_EQ(ParseListenAddress(text), std::optional(address)) << text;
    EXPECT_EQ(ToText(address), text);
  }
}

TEST(ListenAddressTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           "4290",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:-1",
                           "127.0.0.1:65536",
                           "::1:80",
                           "[::1]",
                           "[]:80",
                           "[127.0.0.1]:80",
                           "example.com:80",
                           "127.1:80",
                           " 127.0.0.1:80",
                           "127.0.0.1:80 ",
                           "http://127.0.0.1:80",
                           "256.0.0.1:80",
                           "[::1%lo]:80",
                           "unix:",
                           "unix:run/a.sock",
                           "unix:/run/",
                           "unix://"}) {
    EXPECT_EQ(ParseListenAddress(text), std::nullopt) << text;
  }
  EXPECT_TRUE(ParseListenAddress("unix:/" + std::string(106, 'x')));
  EXPECT_FALSE(ParseListenAddress("unix:/" + std::string(107, 'x')));
}

TEST(ListenAddressTest, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* text :
       {"127.0.0.1:1", "127.8.9.1:1", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/x"}) {
    EXPECT_TRUE(IsLoopback(*ParseListenAddress(text))) << text;
  }
  for (const char* text : {":1", "0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1"}) {
    EXPECT_FALSE(IsLoopback(*ParseListenAddress(text))) << text;
  }
}

}  // namespace
}  // namespace apiquota::config
