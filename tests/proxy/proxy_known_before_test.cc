// What an answer says and gives back is known before its client has it: at the first moment at which the
// client could ask again, by another loop, the guard and the cache know all that they will. The proxy's clock
// is that moment's witness: the loop reads it right after each write.
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <sstream>

#include "tests/proxy/cache_kit.h"
#include "tests/proxy/tunnel_kit.h"

namespace apiquota::proxy {
namespace {

// Tells the first reading at which a client has its answer.
class WitnessClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return Told(RealClock().SystemNow()); }
  SteadyTime SteadyNow() const override { return Told(RealClock().SteadyNow()); }
  RunningTime RunningNow() const override { return Told(RealClock().RunningNow()); }

  // `see` is called once, by the thread that reads the clock.
  void Watch(int client, std::string_view end, std::function<void()> see) {
    const std::lock_guard lock(mutex_);
    client_ = client;
    end_ = end;
    see_ = std::move(see);
    saw_ = false;
  }
  bool saw() const { return saw_; }

 private:
  template <typename T>
  T Told(T now) const {
    std::function<void()> see;
    {
      const std::lock_guard lock(mutex_);
      if (see_ && HasAll()) see = std::exchange(see_, nullptr);
    }
    if (see) {
      see();
      saw_ = true;
    }
    return now;
  }

  bool HasAll() const {
    char bytes[4096];
    const ssize_t n = recv(client_, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 && std::string_view(bytes, static_cast<size_t>(n)).ends_with(end_);
  }

  mutable std::mutex mutex_;
  int client_ = -1;
  std::string_view end_;
  mutable std::function<void()> see_;
  mutable std::atomic<bool> saw_{false};
};

constexpr std::string_view kLimits =
    "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 41\r\n"
    "x-ratelimit-reset-requests: 20h\r\n";
constexpr std::string_view kUsage =
    R"({"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}})";
constexpr std::string_view kEndOfChunks = "\r\n0\r\n\r\n";

std::string Json(std::string_view fields, std::string_view body = "{}", std::string_view status = "200 OK") {
  return Reply(status, std::string("Content-Type: application/json\r\n") + std::string(fields), body);
}

std::string InChunks(std::string_view fields, std::string_view body) {
  std::ostringstream chunks;
  chunks << "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
         << fields << "\r\n"
         << std::hex << body.size() << "\r\n"
         << body << kEndOfChunks;
  return chunks.str();
}

// What is known.
struct Known {
  size_t in_use = 0, in_flight = 0, answers = 0, groups = 0;
  double used = -1;                 // of the operator's own limit
  std::optional<double> available;  // of the quota
  bool open = false;                // the breaker
};

class ProxyKnownBeforeTest : public ProxyCacheTest {
 protected:
  ~ProxyKnownBeforeTest() override {
    proxy_.reset();
    loop_.Stop();
  }

  // One slot that nobody waits for, a limit of tokens, a breaker that opens at the first failure.
  static guard::Options Everything() {
    guard::Options options;
    options.queue.mode = guard::Mode::kOff;
    options.retry.attempts = 1;  // what may be a throttle is held all the same
    options.concurrency = guard::ConcurrencyOptions{};
    options.concurrency->max = 1;
    options.breaker = guard::BreakerOptions{};
    options.breaker->errors = 1;
    guard::LimitRule tokens;
    tokens.name = "tokens";
    tokens.unit = guard::LimitRule::Unit::kTokens;
    tokens.limit = 1'000'000;
    tokens.window = std::chrono::hours(1);
    options.limits = {tokens};
    return options;
  }

  // When the client of `request` has its answer, up to `end`.
  Known KnownAt(std::string_view request, std::string_view end) {
    Peer client = Connect();
    Known known;
    witness_.Watch(client.fd(), end, [&] { known = Look(); });
    client.Send(request);
    for (int i = 0; i < 5000 && !witness_.saw(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_TRUE(witness_.saw()) << "the clock was not read once the answer was there";
    witness_.Watch(-1, end, nullptr);
    return known;
  }

  Known Look() {
    Known known;
    for (const guard::AccountView& account : guard_.View(Now())) {
      known.in_flight += account.view.in_flight;
      if (account.view.slots) known.in_use += account.view.slots->in_use;
      for (const guard::LimitView& limit : account.view.limits)
        if (limit.unit == "requests") known.available = limit.available;
    }
    for (const guard::ApiView& api : guard_.ViewApis(Now(), 1)) {
      for (const guard::LimitUse& limit : api.limits) known.used = limit.used;
      known.open = known.open || (api.breaker && api.breaker->open);
    }
    const cache::CacheView cache = caches_.View()["demo"];
    known.answers = cache.answers;
    known.groups = cache.groups;
    return known;
  }

  // Its answers cut in two, so that the end comes by itself.
  static FakeUpstream::Script InTwo(std::string answer, size_t last) {
    return [answer = std::move(answer), last](Peer& peer) {
      while (!peer.ReadHead().empty()) {
        const std::string_view whole(answer);
        peer.Send(whole.substr(0, whole.size() - last));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        peer.Send(whole.substr(whole.size() - last));
      }
    };
  }

  void ExpectAllKnown(const Known& known) {
    EXPECT_EQ(known.in_use, 0U) << "its slot is not free yet";
    EXPECT_EQ(known.in_flight, 0U);
    EXPECT_NEAR(known.available.value_or(0), 41, 0.5) << "what it says of the quota is not known yet";
  }

  WitnessClock witness_;
};

TEST_F(ProxyKnownBeforeTest, NoClientHasAWholeAnswerBeforeTheGuardKnowsWhatItSays) {
  FakeUpstream upstream(Says({Json(kLimits)}));
  StartGuarded(upstream, Everything(), witness_);
  ExpectAllKnown(KnownAt(kGet, "\r\n\r\n{}"));
}

TEST_F(ProxyKnownBeforeTest, NorOneWhoseEndComesByItself) {
  FakeUpstream upstream(InTwo(InChunks(kLimits, kUsage), 5));
  StartGuarded(upstream, Everything(), witness_);
  ExpectAllKnown(KnownAt(kGet, kEndOfChunks));
}

TEST_F(ProxyKnownBeforeTest, NorOneThatIsCutInItsBody) {
  FakeUpstream upstream(InTwo(Json(kLimits, kUsage), 3));
  StartGuarded(upstream, Everything(), witness_);
  ExpectAllKnown(KnownAt(kGet, kUsage));
}

TEST_F(ProxyKnownBeforeTest, NorItsTokens) {
  FakeUpstream upstream(Says({Json(kLimits, kUsage)}));
  StartGuarded(upstream, Everything(), witness_);
  EXPECT_EQ(KnownAt(Post("", kChat), kUsage).used, 42);
}

TEST_F(ProxyKnownBeforeTest, NorThatAnApiFails) {
  const std::string_view body = R"({"error":{"message":"broken"}})";
  FakeUpstream upstream(Says({Json(kLimits, body, "500 Internal Server Error")}));
  StartGuarded(upstream, Everything(), witness_);
  const Known known = KnownAt(kGet, body);
  EXPECT_TRUE(known.open) << "the next one would be sent";
  EXPECT_EQ(known.in_use, 0U);
}

TEST_F(ProxyKnownBeforeTest, NobodyIsSwitchedBeforeTheGuardKnowsWhatThatSays) {
  std::string switched(kSwitched);
  switched.insert(switched.size() - 2, kLimits);
  FakeUpstream upstream([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(switched);
    peer.ReadAll();
  });
  StartGuarded(upstream, Everything(), witness_);
  EXPECT_NEAR(KnownAt(Handshake(), "\r\n\r\n").available.value_or(0), 41, 0.5);
}

TEST_F(ProxyKnownBeforeTest, NoClientHasAWholeAnswerBeforeItIsKept) {
  FakeUpstream upstream(Says({Json("Cache-Control: max-age=60\r\n" + std::string(kLimits))}));
  StartCached(upstream, {}, Everything(), {}, witness_);
  const Known known = KnownAt(kGet, "\r\n\r\n{}");
  ExpectAllKnown(known);
  EXPECT_EQ(known.answers, 1U);
  EXPECT_EQ(known.groups, 0U) << "who asks for it now would follow";
}

TEST_F(ProxyKnownBeforeTest, NorOneOfWhichTheEndComesByItself) {
  FakeUpstream upstream(InTwo(InChunks("Cache-Control: max-age=60\r\n" + std::string(kLimits), kUsage), 5));
  StartCached(upstream, {}, Everything(), {}, witness_);
  const Known known = KnownAt(kGet, kEndOfChunks);
  ExpectAllKnown(known);
  EXPECT_EQ(known.answers, 1U);
  EXPECT_EQ(known.groups, 0U);
}

}  // namespace
}  // namespace apiquota::proxy
