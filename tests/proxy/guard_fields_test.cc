// What a request's head says to the guard.
#include "proxy/guard_fields.h"

#include <gtest/gtest.h>

namespace apiquota::proxy {
namespace {

using std::chrono::seconds;

http::Fields With(std::initializer_list<http::FieldView> fields) {
  http::Fields out;
  for (const auto& [name, value] : fields) out.Add(name, value);
  return out;
}

TEST(GuardFieldsTest, TheShortestOfAClientsTimeoutsCounts) {
  guard::QueueOptions options;
  options.deadline_header = "x-deadline";
  EXPECT_EQ(ClientTimeoutOf(With({}), options), std::nullopt);
  EXPECT_EQ(
      ClientTimeoutOf(With({{"X-Stainless-Read-Timeout", "600"}, {"X-Stainless-Timeout", "20"}}), options),
      Micros(seconds(20)));
  EXPECT_EQ(ClientTimeoutOf(With({{"grpc-timeout", "5S"}, {"X-Deadline", "7"}}), options),
            Micros(seconds(5)));
  EXPECT_EQ(ClientTimeoutOf(With({{"grpc-timeout", "soon"}, {"X-Deadline", "7"}}), options),
            Micros(seconds(7)));
}

TEST(GuardFieldsTest, AHeaderIsNoDeadlineUnlessTheOperatorNamesIt) {
  EXPECT_EQ(ClientTimeoutOf(With({{"X-Deadline", "7"}}), {}), std::nullopt);
}

TEST(GuardFieldsTest, PriorityCountsOnlyWhereItIsTrusted) {
  guard::QueueOptions options;
  const http::Fields first = With({{"Priority", "u=0, i"}});
  EXPECT_EQ(UrgencyOf(first, options, 3), 3);
  options.trust_priority = true;
  EXPECT_EQ(UrgencyOf(first, options, 3), 0);
  EXPECT_EQ(UrgencyOf(With({{"priority", "u=7"}}), options, 3), 7);
  EXPECT_EQ(UrgencyOf(With({}), options, 5), 5);
  for (const char* odd : {"u=8", "u=-1", "u=1.5", "u", "i", "u=\"1\"", "u=(1 2)", ",,"}) {
    EXPECT_EQ(UrgencyOf(With({{"Priority", odd}}), options, 4), 4) << odd;
  }
}

TEST(GuardFieldsTest, WhatMayBeSentTwiceIsSaidByTheMethodOrByTheClient) {
  http::RequestHead head;
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    head.method = method;
    EXPECT_TRUE(Repeatable(head)) << method;
  }
  for (const char* method : {"POST", "PATCH", "get"}) {
    head.method = method;
    EXPECT_FALSE(Repeatable(head)) << method;
  }
  head.fields.Add("Idempotency-Key", "a1");
  EXPECT_TRUE(Repeatable(head));
}

TEST(GuardFieldsTest, AnSdkSaysThatItAsksAgain) {
  EXPECT_FALSE(RetriedByClient(With({})));
  EXPECT_FALSE(RetriedByClient(With({{"x-stainless-retry-count", "0"}})));
  EXPECT_TRUE(RetriedByClient(With({{"X-Stainless-Retry-Count", "2"}})));
  EXPECT_FALSE(RetriedByClient(With({{"X-Stainless-Retry-Count", "many"}})));
}

}  // namespace
}  // namespace apiquota::proxy
