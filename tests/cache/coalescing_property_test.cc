// Whatever comes in whatever order: upstream is asked at most once and once more for each leader that failed,
// and nobody who stays is left without an outcome.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/cache/api_cache_under_test.h"

namespace apiquota::cache {
namespace {

// One group's clients, drawn by a seed; leaders end in every way there is.
class Clients {
 public:
  explicit Clients(uint64_t seed) : random_(seed) {}

  void Run() {
    for (int step = 0; step < 60; ++step) {
      const uint64_t what = random_() % 10;
      if (what < 5) {
        Arrive();
      } else if (what < 7) {
        Deliver();
      } else if (what < 8) {
        GoAway();
      } else {
        EndALead();
      }
      Gather();
    }
    while (!leads_.empty() || !mail_.empty()) {
      Deliver();
      EndALead();
      Gather();
    }
    EXPECT_TRUE(waiting_.empty());
    EXPECT_EQ(test_.cache->View().groups, 0);
    EXPECT_EQ(test_.cache->View().followers, 0);
    EXPECT_LE(asked_, begun_ + failed_);
  }

 private:
  void Arrive() {
    bool alone = false;
    const uint64_t id = ++last_id_;
    Lead lead = test_.cache->Join(*asked_for_, {.home = 0, .id = id}, &alone, kNow);
    ASSERT_FALSE(alone);
    if (lead) {
      ASSERT_TRUE(leads_.empty() && !ALeadIsOnItsWay());  // else it would follow
      ++begun_;
      Ask(std::move(lead));
    } else {
      waiting_.insert(id);
    }
  }
  bool ALeadIsOnItsWay() {
    return std::ranges::any_of(mail_, [](const Told& told) { return bool(told.outcome.lead); });
  }
  void Gather() {
    for (Told& told : test_.rim.Take()) mail_.push_back(std::move(told));
  }
  void Ask(Lead lead) {
    ++asked_;
    leads_.push_back(std::move(lead));
    ASSERT_EQ(leads_.size(), 1);
  }
  // Outcomes are on their way for a while: their clients may have gone.
  void Deliver() {
    if (mail_.empty()) return;
    Told told = std::move(mail_.front());
    mail_.erase(mail_.begin());
    if (waiting_.erase(told.follower.id) == 0) return;  // nobody: what it holds gives up
    if (told.outcome.kind == Outcome::Kind::kLead) Ask(std::move(told.outcome.lead));
  }
  void GoAway() {
    if (waiting_.empty()) return;
    const uint64_t id = *waiting_.begin();
    waiting_.erase(id);
    test_.cache->Leave({.home = 0, .id = id});
  }
  void EndALead() {
    if (leads_.empty()) return;
    Lead lead = std::move(leads_.back());
    leads_.pop_back();
    if (random_() % 3 == 0) {
      lead.Share(Kept(asked_for_, HeadOf(200, {})));
      return;
    }
    ++failed_;
    if (random_() % 2 == 0) lead.Fail();
  }

  std::mt19937_64 random_;
  CacheUnderTest test_;
  Asked asked_for_;
  uint64_t last_id_ = 0;
  std::set<uint64_t> waiting_;
  std::vector<Told> mail_;
  std::vector<Lead> leads_;
  int asked_ = 0, begun_ = 0, failed_ = 0;
};

TEST(CoalescingPropertyTest, UpstreamIsAskedOnceAndOnceMoreForEachLeaderThatFailed) {
  for (uint64_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Clients(seed).Run();
  }
}

// A Rim whose followers are threads' own: each takes what is for it.
class Boxes final : public Rim {
 public:
  explicit Boxes(size_t homes) : boxes_(homes) {}
  void Wake(Follower follower, Outcome outcome) override {
    Box& box = boxes_[follower.home];
    const std::lock_guard lock(box.mutex);
    box.told.push_back({follower, std::move(outcome)});
  }
  std::vector<Told> Take(uint32_t home) {
    const std::lock_guard lock(boxes_[home].mutex);
    return std::exchange(boxes_[home].told, {});
  }

 private:
  struct Box {
    std::mutex mutex;
    std::vector<Told> told;
  };
  std::vector<Box> boxes_;
};

// What one thread does: joins, waits for what it is told, leads and ends as the dice say.
class Worker {
 public:
  Worker(std::shared_ptr<ApiCache> cache, Boxes* boxes, uint32_t home)
      : cache_(std::move(cache)), boxes_(boxes), home_(home), random_(home + 1) {}

  void Run() {
    for (uint64_t id = 1; id <= 3000; ++id) One(id);
    while (waiting_ > 0) TakeAll();  // nobody is stranded: this ends
  }

 private:
  void One(uint64_t id) {
    const Asked asked("GET", random_() % 2 == 0 ? "/a" : "/b");
    bool alone = false;
    Lead lead = cache_->Join(*asked, {home_, id}, &alone, kNow + seconds(id));
    if (lead) {
      End(std::move(lead), asked);
    } else if (!alone) {
      ++waiting_;
    }
    if (random_() % 4 == 0) TakeAll();
    if (random_() % 50 == 0)
      cache_->Invalidate(*Asked("PUT", "/a"), HeadOf(200, {}), "x", kNow + seconds(id));
    if (random_() % 50 == 0) cache_->View();
  }
  void TakeAll() {
    for (Told& told : boxes_->Take(home_)) {
      --waiting_;
      if (told.outcome.lead) End(std::move(told.outcome.lead), Asked("GET", "/a"));
    }
  }
  void End(Lead lead, const Asked& asked) {
    const uint64_t how = random_() % 20;
    if (how < 12) {
      const AnswerPtr answer = Kept(asked, HeadOf(200, {{"Cache-Control", "max-age=60"}}));
      cache_->Keep(*asked, answer);
      lead.Share(answer);
    } else if (how == 12) {
      lead.Scatter(kNow);
    } else if (how < 16) {
      lead.Fail();
    }
    cache_->Find(*asked, kNow);
  }

  std::shared_ptr<ApiCache> cache_;
  Boxes* boxes_;
  uint32_t home_;
  std::mt19937_64 random_;
  size_t waiting_ = 0;
};

TEST(CoalescingPropertyTest, NobodyIsStrandedAcrossThreads) {
  constexpr uint32_t kHomes = 4;
  Boxes boxes(kHomes);
  const auto cache = std::make_shared<ApiCache>(Options{}, boxes);
  {
    std::vector<std::jthread> threads;
    for (uint32_t home = 0; home < kHomes; ++home) {
      threads.emplace_back([&, home] { Worker(cache, &boxes, home).Run(); });
    }
  }
  EXPECT_EQ(cache->View().groups, 0);
  EXPECT_EQ(cache->View().followers, 0);
}

}  // namespace
}  // namespace apiquota::cache
