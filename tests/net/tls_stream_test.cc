#include <gtest/gtest.h>

#include "net/read_buffer.h"
#include "tests/net/certificates.h"
#include "tests/net/peer.h"
#include "tests/net/served_stream.h"

namespace apiquota::net {
namespace {

class TlsStreamTest : public testing::Test {
 protected:
  TlsStreamTest() {
    TlsServerOptions options;
    const std::string base =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name();
    options.cert_file = base + ".crt";
    options.key_file = base + ".key";
    const Identity identity = MakeIdentity("DNS:localhost", nullptr);
    WritePem(identity, options.cert_file);
    WriteKeyPem(identity, options.key_file);
    server_ = std::move(*TlsServer::Create(options));
    served_ = std::make_unique<ServedStream>(ListenAddress{"127.0.0.1", 0}, server_.get());
  }

  Peer Connect() {
    served_->Start();
    Peer peer = Peer::Connect(served_->port());
    EXPECT_TRUE(peer.ConnectTls(client_.get()));
    return peer;
  }

  ServerContextPtr client_ = MakeClient(nullptr);
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<ServedStream> served_;
};

// What fills the input; the rest lies in records that were read before the end came.
constexpr size_t kInput = ReadBuffer::kLarge;
constexpr size_t kMoreThanInput = kInput + 16 * 1024;

TEST_F(TlsStreamTest, BytesThatCameBeforeTheEndAreDeliveredThoughTheInputWasFull) {
  served_->Reading(true, false);
  Peer peer = Connect();
  const std::string sent(kMoreThanInput, 'x');
  peer.Send(sent);
  served_->WaitForBytes(kInput);
  peer.Close();
  served_->WaitForHangUp();
  served_->ConsumeAll();
  EXPECT_EQ(served_->WaitForBytes(sent.size()).size(), sent.size());
  EXPECT_EQ(served_->WaitForEnd(), StreamEnd::kClosed);
}

TEST_F(TlsStreamTest, BytesThatCameBeforeACutAreDeliveredToo) {
  served_->Reading(true, false);
  Peer peer = Connect();
  const std::string sent(kMoreThanInput, 'x');
  peer.Send(sent);
  served_->WaitForBytes(kInput);
  peer.Drop();
  served_->WaitForHangUp();
  served_->ConsumeAll();
  EXPECT_EQ(served_->WaitForBytes(sent.size()).size(), sent.size());
  EXPECT_EQ(served_->WaitForEnd(), StreamEnd::kReset) << "no close_notify";
}

TEST_F(TlsStreamTest, BytesThatCameBeforeTheEndAreDeliveredThoughReadingWasPaused) {
  Peer peer = Connect();
  peer.Send("a");
  served_->WaitForBytes(1);
  served_->Do([](Stream& stream) { stream.Pause(); });
  const std::string sent(kMoreThanInput, 'x');
  peer.Send(sent);
  peer.Close();
  served_->WaitForHangUp();
  served_->Do([](Stream& stream) { stream.Resume(); });
  EXPECT_EQ(served_->WaitForBytes(1 + sent.size()).size(), 1 + sent.size());
  EXPECT_EQ(served_->WaitForEnd(), StreamEnd::kClosed);
}

TEST_F(TlsStreamTest, AWriteThatFailsIsToldAsACut) {
  Peer peer = Connect();
  peer.Send("a");
  served_->WaitForBytes(1);
  served_->Do([](Stream& stream) {
    stream.ShutdownSend();
    stream.Write({"too late"});
  });
  EXPECT_EQ(served_->WaitForEnd(), StreamEnd::kReset);
}

TEST_F(TlsStreamTest, AFullInputCostsNoWorkUntilItsReaderGoesOn) {
  served_->Reading(true, false);
  Peer peer = Connect();
  peer.Send(std::string(kMoreThanInput, 'x'));
  served_->WaitForBytes(kInput);
  timespec before{};
  timespec after{};
  served_->Do([&](Stream&) { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  served_->Do([&](Stream&) { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after); });
  const double spent = double(after.tv_sec - before.tv_sec) + double(after.tv_nsec - before.tv_nsec) / 1e9;
  EXPECT_LT(spent, 0.05);
}

}  // namespace
}  // namespace apiquota::net
