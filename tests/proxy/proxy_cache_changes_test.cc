// What a change makes of what is kept, through a real proxy.
#include <atomic>
#include <string>
#include <thread>

#include "tests/proxy/cache_kit.h"

namespace apiquota::proxy {
namespace {

const std::string kPut = Get("/v1/models", "Content-Length: 0\r\n", "PUT");

// Its answer is lost, and what it asked for may have been done.
TEST_F(ProxyCacheTest, AChangeThatIsNotAnsweredEndsWhatIsKeptOfItsPath) {
  std::atomic<int> asked = 0;
  FakeUpstream upstream([&asked](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (head.starts_with("PUT")) return;  // closes
      peer.Send(Reply("200 OK", "Cache-Control: max-age=60\r\n", std::to_string(++asked)));
    }
  });
  StartCached(upstream);
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "1");
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "1");
  EXPECT_EQ(StatusOf(Ask(kPut)), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "2");
}

TEST_F(ProxyCacheTest, AChangeWhoseClientLeavesEndsWhatIsKeptOfItsPath) {
  std::atomic<int> asked = 0;
  std::atomic<bool> changed = false;
  FakeUpstream upstream([&](Peer& peer) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (head.starts_with("PUT")) {
        changed = true;
        peer.ReadAll();
        return;
      }
      peer.Send(Reply("200 OK", "Cache-Control: max-age=60\r\n", std::to_string(++asked)));
    }
  });
  StartCached(upstream);
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "1");
  Peer client = Connect();
  client.Send(kPut);
  for (int i = 0; i < 2000 && !changed; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  client.Reset();
  for (int i = 0; i < 2000 && BodyOf(Ask(Get("/v1/models"))) == "1"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "2");
}

TEST_F(ProxyCacheTest, AChangeThatWasNeverSentEndsNothing) {
  guard::Options options = JustCache();
  guard::LimitRule rule;
  rule.name = "no-changes";
  rule.by = {{.kind = guard::LimitSubject::Kind::kAddress, .header = {}}};
  rule.match.methods = {"PUT"};
  rule.limit = 1;
  rule.window = std::chrono::minutes(1);
  options.limits = {rule};
  FakeUpstream upstream(Says({Reply("200 OK", "Cache-Control: max-age=60\r\n", "[1]")}));
  StartCached(upstream, {}, options);
  Ask(Get("/v1/models"));
  Ask(Get("/v1/other", "Content-Length: 0\r\n", "PUT"));
  EXPECT_EQ(StatusOf(Ask(kPut)), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(BodyOf(Ask(Get("/v1/models"))), "[1]");
  EXPECT_EQ(asked(), 2U);
}

}  // namespace
}  // namespace apiquota::proxy
