// Guard asked by several threads at once, as by the event loops of an agent: whoever comes first, no more is
// admitted than the API allows, and nothing is held at the end.
#include <gtest/gtest.h>

#include <barrier>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "guard/guard.h"
#include "simulate/enforcer.h"

namespace apiquota::guard {
namespace {

constexpr SystemTime kStart = SystemTime(std::chrono::seconds(1'790'000'000));
constexpr double kLimit = 50;
constexpr Micros kWindow = std::chrono::seconds(10);

// All loops live in one moment, then in the next; the API and the mailboxes of the loops stand behind locks
// of their own.
class Many final : public Rim {
 public:
  explicit Many(size_t loops) : mailboxes_(loops), guard_(*this, 1) {
    simulate::LimitOptions limit;
    limit.kind = simulate::LimitKind::kSliding;
    limit.limit = kLimit;
    limit.window = kWindow;
    simulate::EnforcerOptions options;
    options.limits = {limit};
    enforcer_ = std::make_unique<simulate::Enforcer>(options);
    GuardedApi api;
    api.api = "api";
    api.pool = "https://api.example";
    api.options.mode = Mode::kOn;
    api.declared = {{"declared", kLimit, kWindow}};
    std::vector<GuardedApi> apis;
    apis.push_back(std::move(api));
    guard_.Configure(std::move(apis), kStart);
    account_ = guard_.AccountFor("api", "key", kStart);
  }

  void Deliver(uint32_t home, std::vector<Granted> granted) override {
    Mailbox& mailbox = mailboxes_[home];
    const std::lock_guard lock(mailbox.mutex);
    for (Granted& each : granted) mailbox.granted.push_back(std::move(each));
  }
  void WakeBy(SystemTime) override {}

  // One loop in one moment: asks, sends what is admitted, and whatever it finds in its mailbox.
  void Live(uint32_t home, int requests) {
    for (int i = 0; i < requests; ++i) {
      Request request{.route = "GET /", .flow = home % 2 == 0 ? "even" : "odd"};
      request.deadline = now_ + std::chrono::seconds(30);
      request.home = home;
      Turn turn = guard_.Ask(account_, request, now_);
      if (turn.ticket) Send(std::move(turn.ticket));
      if (turn.verdict.kind == Verdict::Kind::kQueued && i % 3 == 0) {
        guard_.Leave(account_, turn.verdict.id, now_);
      }
      Serve(home);
    }
  }

  void Serve(uint32_t home) {
    guard_.Advance(now_);
    std::vector<Granted> granted;
    {
      const std::lock_guard lock(mailboxes_[home].mutex);
      granted = std::exchange(mailboxes_[home].granted, {});
    }
    for (Granted& each : granted) {
      if (each.ticket) Send(std::move(each.ticket));
    }
  }

  void Tick() noexcept { now_ += std::chrono::milliseconds(100); }  // while no loop lives
  std::vector<AccountView> View() { return guard_.View(now_); }
  uint64_t admitted() const { return admitted_; }
  uint64_t refused() const { return refused_; }

 private:
  struct Mailbox {
    std::mutex mutex;
    std::vector<Granted> granted;
  };

  void Send(Ticket ticket) {
    ticket.Sent(now_);
    Answer answer;
    {
      const std::lock_guard lock(api_);
      const bool good = enforcer_->Ask({}, now_).admitted();
      ++(good ? admitted_ : refused_);
      answer.status = good ? 200 : 429;
    }
    answer.received_at = now_;
    ticket.Answered(answer, answer.received_at);
    if (ticket.id() % 3 == 0) return;  // its destruction gives back what it holds
    ticket.Settle(std::nullopt, now_);
  }

  std::vector<Mailbox> mailboxes_;
  SystemTime now_ = kStart;
  std::mutex api_;
  std::unique_ptr<simulate::Enforcer> enforcer_;  // guarded by api_
  uint64_t admitted_ = 0, refused_ = 0;           // guarded by api_
  Guard guard_;
  std::shared_ptr<Account> account_;
};

TEST(GuardThreadsTest, LoopsTogetherAreAdmittedNoMoreThanTheLimit) {
  constexpr uint32_t kLoops = 4;
  constexpr int kAsking = 400, kMoments = 1000;  // the rest is for those who wait
  Many many(kLoops);
  std::barrier moment(kLoops, [&many]() noexcept { many.Tick(); });
  std::vector<std::thread> threads;
  for (uint32_t home = 0; home < kLoops; ++home) {
    threads.emplace_back([&, home] {
      for (int i = 0; i < kMoments; ++i) {
        i < kAsking ? many.Live(home, 5) : many.Serve(home);
        moment.arrive_and_wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(many.refused(), 0);
  EXPECT_GT(many.admitted(), 4 * kLimit);
  const std::vector<AccountView> views = many.View();
  ASSERT_EQ(views.size(), 1);
  EXPECT_EQ(views[0].view.in_flight, 0);
  EXPECT_EQ(views[0].view.waiting, 0);
  for (const LimitView& limit : views[0].view.limits) EXPECT_EQ(limit.reserved, 0);
}

}  // namespace
}  // namespace apiquota::guard
