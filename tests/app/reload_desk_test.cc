#include "app/reload_desk.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <thread>

namespace apiquota::app {
namespace {

constexpr Micros kPatience = std::chrono::seconds(30);

TEST(ReloadDeskTest, WhoAsksGetsTheOutcomeOfAReloadThatBeganLater) {
  std::counting_semaphore<> woken(0);
  ReloadDesk desk([&] { woken.release(); });
  auto first = std::async(std::launch::async, [&] { return desk.Ask(kPatience); });
  woken.acquire();
  std::future<Status> second;
  desk.Serve([&]() -> Status {
    // Asked while a reload is under way, which may have read the old file already: must wait for another one.
    second = std::async(std::launch::async, [&] { return desk.Ask(kPatience); });
    woken.acquire();
    return {};
  });
  EXPECT_TRUE(first.get());
  desk.Serve([]() -> Status { return Fail("a bad file"); });
  EXPECT_EQ(second.get(), Status(std::unexpected(Error{"a bad file"})));
}

TEST(ReloadDeskTest, WhoWaitsTooLongIsToldSo) {
  ReloadDesk desk([] {});
  EXPECT_EQ(desk.Ask(Micros(1000)),
            Status(std::unexpected(Error{"the reload is still under way; the log will say how it ends"})));
}

TEST(ReloadDeskTest, AReloadNobodyAskedForIsFine) {
  ReloadDesk desk([] {});
  int reloads = 0;
  desk.Serve([&]() -> Status {
    ++reloads;
    return {};
  });
  EXPECT_EQ(reloads, 1);
}

}  // namespace
}  // namespace apiquota::app
