// Bodies on their way into memory and out of it, through a real proxy.
#include <string>

#include "tests/proxy/cache_kit.h"

namespace apiquota::proxy {
namespace {

TEST_F(ProxyCacheTest, ALargeAnswerIsReadAtTheClientsPace) {
  const std::string body(3 * 1024 * 1024, 'x');
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=60\r\n", body)}));
  StartCached(upstream);
  Peer slow = Connect(4096);  // the leader: reads nothing for now
  slow.Send(Get("/v1/models"));
  for (int i = 0; i < 1000 && Quiet().answers == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(Quiet().answers, 1U) << "the cache waits for a slow reader";
  Peer also_slow = Connect(4096);
  also_slow.Send(Get("/v1/models"));
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))).size(), body.size());
  EXPECT_EQ(BodyOf(slow.ReadAll()), body);
  EXPECT_EQ(BodyOf(also_slow.ReadAll()), body);
  EXPECT_EQ(asked(), 1U);
}

TEST_F(ProxyCacheTest, AClientThatNeverReadsAHitIsCutOff) {
  options_.body_idle_timeout = std::chrono::milliseconds(300);
  FakeUpstream upstream(
      Says({Reply("200 OK", "Cache-Control: max-age=60\r\n", std::string(6 * 1024 * 1024, 'x'))}));
  StartCached(upstream);
  Ask(Get("/v1/models"));
  Peer client = Connect(4096);
  client.Send(Get("/v1/models"));
  EXPECT_EQ(CountsOnce("apiquota_http_rejected_total", 1), (CountMap{{"body_timeout", 1}}));
  EXPECT_LT(client.ReadAll().size(), 6U * 1024 * 1024);
}

TEST_F(ProxyCacheTest, AnAnswerThatIsTooLargeIsRelayedWholeAndNotKept) {
  const std::string body(2 * 1024 * 1024, 'x');
  FakeUpstream upstream(
      Says({"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
            "200000\r\n" +
            body + "\r\n0\r\n\r\n"}));
  guard::CacheOptions cache;
  cache.size = 4 * 1024 * 1024;
  StartCached(upstream, cache);
  for (int i = 0; i < 2; ++i) {
    Peer client = Connect(4096);
    client.Send(Get("/v1/models", "Accept: */*\r\n"));
    std::string got = client.ReadHead();
    for (std::string more; !(more = client.ReadSome()).empty();) got += more;
    EXPECT_GT(got.size(), body.size());
  }
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(Quiet().answers, 0U);
}

TEST_F(ProxyCacheTest, AnAnswerThatWasCutShortIsNotKept) {
  const std::string cut = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n12345";
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(cut);
    peer.Close();
  });
  StartCached(upstream);
  Ask(Get("/v1/models"));
  Ask(Get("/v1/models"));
  EXPECT_EQ(upstream.connections(), 2U);
  EXPECT_EQ(Quiet().answers, 0U);
}

}  // namespace
}  // namespace apiquota::proxy
