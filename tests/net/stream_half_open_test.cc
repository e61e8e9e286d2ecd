// What a stream that may stay open for sending tells of its peer's end.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "net/loop.h"
#include "net/stream.h"
#include "tests/net/doors.h"
#include "tests/net/peer.h"

namespace apiquota::net {
namespace {

// Of a loop that is driven by hand: what a peer does between two turns is told in one.
class HalfOpenStreamTest : public testing::Test, StreamHandler {
 protected:
  HalfOpenStreamTest() {
    stream_.SetHandler(this);
    stream_.Connect({.ip = *IpAddress::Parse("127.0.0.1"), .port = door_.port()});
    peer_.emplace(door_.Take());
    Turns();
    stream_.AllowHalfOpen();
    stream_.Resume();
    Turns();
  }

  void Turns() {
    for (int i = 0; i < 20; ++i) loop_.Turn();
  }

  bool consumes_ = true;  // or the first bytes make it pause
  std::string got_;
  std::optional<StreamEnd> end_;
  std::optional<Peer> peer_;

 private:
  void OnBytes() override {
    got_ += stream_.input();
    if (!consumes_) return stream_.Pause();
    stream_.Consume(stream_.input().size());
  }
  void OnEnd(StreamEnd end) override { end_ = end; }

  Doors door_;
  Loop loop_{RealClock()};
  Stream stream_{loop_};
};

TEST_F(HalfOpenStreamTest, AResetThatComesWithBytesIsNotForgottenWhenTheyMakeTheReaderPause) {
  consumes_ = false;
  peer_->Send("bytes");
  peer_->Reset();
  Turns();
  EXPECT_EQ(got_, "bytes");
  EXPECT_EQ(end_, StreamEnd::kReset);
}

TEST_F(HalfOpenStreamTest, AnEndWithAResetBehindItIsNoHalfOpenStream) {
  peer_->Send("bytes");
  peer_->ShutdownSend();
  peer_->Reset();
  Turns();
  EXPECT_EQ(got_, "bytes");
  EXPECT_EQ(end_, StreamEnd::kReset);
}

TEST_F(HalfOpenStreamTest, AnEndIsAnEnd) {
  peer_->Send("bytes");
  peer_->ShutdownSend();
  Turns();
  EXPECT_EQ(got_, "bytes");
  EXPECT_EQ(end_, StreamEnd::kClosed);
}

}  // namespace
}  // namespace apiquota::net
