// What the access log makes of a request. What it gathers of one stands in access_log_test.py.
#include "proxy/access_log.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace apiquota::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Logged(const AccessSubject& subject, const AccessFacts& facts) {
  testing::internal::CaptureStderr();
  LogAccess(subject, facts, facts.began_at + milliseconds(1250));
  const std::string line = testing::internal::GetCapturedStderr();
  return line.substr(std::min(line.find(" event="), line.size()));
}

TEST(AccessLogTest, ALineTellsWhatIsKnown) {
  AccessFacts facts;
  facts.began_at = SteadyTime(seconds(5));
  facts.first_byte_at = facts.began_at + milliseconds(40);
  facts.status = 200;
  facts.bytes = 1234;
  facts.attempts = 2;
  facts.decision = "delay";
  facts.rule = "pace";
  facts.waited = milliseconds(420);
  facts.cache = "miss";
  facts.tightest = TightestLimit{"requests", 60, 41, 12.5};
  EXPECT_EQ(Logged({.api = "openai",
                    .caller = "nightly",
                    .key = "ci",
                    .method = "POST",
                    .path = "/v1/files/4711/aB3dE6gH9jK2mN5p?secret=1",
                    .upstream_status = 200},
                   facts),
            " event=access api=openai caller=nightly key=ci method=POST route=/v1/files/*/* status=200 "
            "upstream_status=200 duration=1.25 first_byte=0.04 bytes=1234 decision=delay rule=pace wait=0.42 "
            "quota=requests limit=60 remaining=41 reset=12.5 cache=miss attempts=2\n");
}

TEST(AccessLogTest, WhatIsNotKnownIsLeftOut) {
  AccessFacts facts;
  facts.began_at = SteadyTime(seconds(5));
  EXPECT_EQ(Logged({.api = "demo", .method = "GET", .path = "/"}, facts),
            " event=access api=demo method=GET route=/ duration=1.25 bytes=0 attempts=0\n");
}

TEST(AccessLogTest, OfSeveralLimitsTheOneWithTheSmallestShareLeftIsTold) {
  const guard::LimitStanding standings[] = {
      {.name = "day", .limit = 1000, .remaining = 900, .reset = seconds(3600)},
      {.name = "minute", .limit = 10, .remaining = 2, .reset = seconds(30)},
  };
  EXPECT_EQ(TightestOf(standings), (TightestLimit{"minute", 10, 2, 30}));
  EXPECT_EQ(TightestOf(std::span<const guard::LimitStanding>()), std::nullopt);

  const SystemTime now{seconds(1000)};
  std::vector<provider::Reading> readings(4);
  readings[0].quota = "tokens";
  readings[0].limit = 100;
  readings[0].remaining = 50;
  readings[1].quota = "requests";
  readings[1].limit = 10;
  readings[1].remaining = 1;
  readings[1].reset_at = now + seconds(7);
  readings[2].remaining = 0;  // of an unknown limit
  readings[3].limit = 0;
  readings[3].remaining = 0;
  EXPECT_EQ(TightestOf(readings, now), (TightestLimit{"requests", 10, 1, 7}));
}

}  // namespace
}  // namespace apiquota::proxy
