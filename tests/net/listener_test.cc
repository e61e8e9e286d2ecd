#include "net/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "base/descriptor.h"
#include "net/host_names.h"
#include "tests/net/peer.h"
#include "tests/net/served_stream.h"

namespace apiquota::net {
namespace {

std::optional<Peer> ConnectTo(int family, uint16_t port) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ipv6 = family == AF_INET6;
  const int done = connect(fd, ipv6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4),
                           ipv6 ? sizeof v6 : sizeof v4);
  Peer peer(fd);
  if (done != 0) return std::nullopt;
  return peer;
}

std::optional<Peer> ConnectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Peer peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(peer.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  return peer;
}

bool HasIpv6() { return ListenGroup::Open({"::1", 0}).has_value(); }

class ListenerTest : public testing::Test {
 protected:
  ListenerTest()
      : directory_(testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    unix_.path = directory_ + "/door.sock";
  }
  ~ListenerTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  ListenAddress unix_{"", 0, ""};
};

TEST_F(ListenerTest, LocalhostIsBothLoopbackAddressesOnOnePort) {
  ServedStream served({"localhost", 0});
  EXPECT_TRUE(ConnectTo(AF_INET, served.port()));
  EXPECT_EQ(ConnectTo(AF_INET6, served.port()).has_value(), HasIpv6());
}

TEST_F(ListenerTest, TheKernelHoldsNoMegabytesOfWhatAReaderDoesNotRead) {
  ServedStream served({"127.0.0.1", 0});
  served.Start();
  Peer reader = Peer::Connect(served.port(), 4096);
  reader.Send("hello");
  EXPECT_EQ(served.WaitForBytes(5), "hello");
  const std::string answer(4'000'000, 'x');
  served.Do([&](Stream& stream) { stream.Write({answer}); });
  served.Do([](Stream& stream) { EXPECT_LT(stream.sent(), 512U * 1024); });
  EXPECT_EQ(reader.Read(answer.size()).size(), answer.size());
}

TEST_F(ListenerTest, WhatItAcceptsIsSentWithoutDelay) {
  const auto group = ListenGroup::Open({"127.0.0.1", 0});
  ASSERT_TRUE(group);
  const auto doors = (*group)->Take();
  ASSERT_TRUE(doors);
  const auto client = ConnectTo(AF_INET, (*group)->port());
  pollfd coming{.fd = doors->front().get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&coming, 1, 10'000), 1);
  const Descriptor taken(accept4(coming.fd, nullptr, nullptr, SOCK_CLOEXEC));
  int on = 0;
  socklen_t size = sizeof on;
  ASSERT_EQ(getsockopt(taken.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_EQ(on, 1);
}

TEST_F(ListenerTest, NoHostIsBothFamilies) {
  ServedStream served({"", 0});
  EXPECT_TRUE(ConnectTo(AF_INET, served.port()));
  EXPECT_EQ(ConnectTo(AF_INET6, served.port()).has_value(), HasIpv6());
}

TEST_F(ListenerTest, AnIpv6LiteralIsThatAddressOnly) {
  if (!HasIpv6()) GTEST_SKIP() << "no IPv6 here";
  ServedStream served({"::1", 0});
  EXPECT_TRUE(ConnectTo(AF_INET6, served.port()));
  EXPECT_FALSE(ConnectTo(AF_INET, served.port()));
}

TEST_F(ListenerTest, AnAddressInUseIsRefusedOnEitherHalfOfLocalhost) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    if (host == std::string("::1") && !HasIpv6()) continue;
    const auto first = ListenGroup::Open({host, 0});
    ASSERT_TRUE(first);
    const ListenAddress both{"localhost", (*first)->port()};
    const auto second = ListenGroup::Open(both);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, ToText(both) + ": the address is in use by another program");
  }
}

TEST_F(ListenerTest, AUnixSocketIsForItsOwnerAndGroupAndItsClientsAreOnThisMachine) {
  ServedStream served(unix_);
  struct stat info{};
  ASSERT_EQ(stat(unix_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660U);
  served.Start();
  auto peer = ConnectTo(unix_.path);
  ASSERT_TRUE(peer);
  peer->Send("hello");
  EXPECT_EQ(served.WaitForBytes(5), "hello");
  served.Do([](Stream& stream) {
    EXPECT_TRUE(stream.peer().ip.IsLoopback());
    stream.Write({"you too"});
  });
  EXPECT_EQ(peer->Read(7), "you too");
  peer->Close();
  EXPECT_EQ(served.WaitForEnd(), StreamEnd::kClosed);
}

TEST_F(ListenerTest, SeveralLoopsShareOneUnixSocketAndTheLastRemovesItsFile) {
  Loop first(RealClock());
  Loop second(RealClock());
  auto group = ListenGroup::Open(unix_);
  ASSERT_TRUE(group);
  EXPECT_TRUE((*group)->is_unix());
  auto one = Listener::Open(first, *group, [](Stream) {});
  auto two = Listener::Open(second, *group, [](const Stream& stream) { EXPECT_TRUE(stream.open()); });
  group->reset();
  one->reset();
  second.Start();
  auto peer = ConnectTo(unix_.path);
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->AtEnd()) << "taken by the loop that is left, and closed";
  second.Stop();
  two->reset();
  EXPECT_FALSE(std::filesystem::exists(unix_.path));
}

TEST_F(ListenerTest, ASocketFileThatADeadProcessLeftIsReplaced) {
  const Descriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_.path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(ListenGroup::Open(unix_));  // nobody listens at it
}

TEST_F(ListenerTest, ASocketThatIsServedIsLeftAlone) {
  ServedStream served(unix_);
  served.Start();
  const auto second = ListenGroup::Open(unix_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "unix:" + unix_.path + ": the address is in use by another program");
  EXPECT_TRUE(ConnectTo(unix_.path));
}

TEST_F(ListenerTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(unix_.path) << "precious";
  const auto group = ListenGroup::Open(unix_);
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().message, "unix:" + unix_.path + ": there is a file here that is no socket");
  EXPECT_TRUE(std::filesystem::is_regular_file(unix_.path));
}

TEST_F(ListenerTest, AnothersSocketAtTheSamePathIsNotRemoved) {
  auto group = ListenGroup::Open(unix_);
  ASSERT_TRUE(group);
  std::filesystem::rename(unix_.path, unix_.path + ".away");
  auto successor = ListenGroup::Open(unix_);
  ASSERT_TRUE(successor);
  group->reset();
  EXPECT_TRUE(std::filesystem::exists(unix_.path));
}

TEST_F(ListenerTest, AnyHostWillDoOnAUnixSocket) {
  EXPECT_TRUE(HostNames(unix_, {}).Allow("api.openai.com"));
  EXPECT_FALSE(HostNames({"localhost", 1}, {}).Allow("api.openai.com"));
}

}  // namespace
}  // namespace apiquota::net
