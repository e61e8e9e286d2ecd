// What is kept of bodies and answers, and what it may cost.
#include "proxy/kept_body.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/held_answer.h"

namespace apiquota::proxy {
namespace {

void Add(KeptBody& body, const std::string& text) {
  const std::string_view slices[] = {text};
  body.Add(slices);
}

void AddSent(KeptBody& body, const std::string& text) {
  const std::string_view slices[] = {text};
  body.AddSent(slices);
}

constexpr KeptBodyLimits kLimits{.bytes_max = 64 * 1024, .together_max = 100 * 1024};

TEST(KeptBodyTest, WhatIsAddedIsThereInOrder) {
  KeptBytes all;
  KeptBody body(all);
  body.Begin(kLimits);
  Add(body, "one ");
  AddSent(body, "two ");
  Add(body, "three");
  EXPECT_EQ(body.bytes(), "one two three");
  EXPECT_TRUE(body.whole());
}

TEST(KeptBodyTest, WhatHasBeenSentIsLetGoOfBeyondItsBound) {
  KeptBytes all;
  KeptBody body(all);
  body.Begin(kLimits);
  AddSent(body, std::string(64 * 1024, 'x'));
  EXPECT_TRUE(body.whole());
  AddSent(body, "y");
  EXPECT_FALSE(body.whole());
  EXPECT_EQ(all.total(), 0U);
  AddSent(body, "z");
  EXPECT_EQ(body.bytes(), "") << "a part of a body is of no use";
}

TEST(KeptBodyTest, WhatHasNotBeenSentStaysAndNoMoreIsRead) {
  KeptBytes all;
  KeptBody body(all);
  body.Begin(kLimits);
  EXPECT_FALSE(body.full());
  Add(body, std::string(70 * 1024, 'x'));
  EXPECT_TRUE(body.full());
  EXPECT_TRUE(body.whole());
  EXPECT_EQ(body.bytes().size(), 70U * 1024);
}

TEST(KeptBodyTest, WhatOthersHoldCountsAndAFirstPartIsReadAllTheSame) {
  KeptBytes all;
  KeptBody large(all);
  large.Begin({.bytes_max = 1 << 20, .together_max = 100 * 1024});
  Add(large, std::string(100 * 1024, 'x'));
  KeptBody body(all);
  body.Begin(kLimits);
  EXPECT_FALSE(body.full());
  Add(body, std::string(KeptBody::kAlwaysRead, 'x'));
  EXPECT_TRUE(body.full());
  AddSent(body, "y");
  EXPECT_FALSE(body.whole());
}

TEST(KeptBodyTest, NothingStaysAccountedFor) {
  KeptBytes all;
  {
    KeptBody body(all);
    body.Begin(kLimits);
    Add(body, std::string(5000, 'x'));
    EXPECT_GE(all.total(), 5000U);
    body.Begin(kLimits);
    EXPECT_EQ(all.total(), 0U);
    Add(body, std::string(5000, 'x'));
  }
  EXPECT_EQ(all.total(), 0U);
}

TEST(HeldAnswerTest, ItIsFullBeyondItsBoundAndForgottenWhenCleared) {
  HeldAnswer answer;
  http::ResponseHead head;
  head.status = 429;
  answer.Begin(head);
  const std::string most(HeldAnswer::kBytesMax, 'x');
  const std::string_view slices[] = {most};
  answer.Add(slices, false);
  EXPECT_FALSE(answer.full());
  const std::string_view one[] = {"y"};
  answer.Add(one, true);
  EXPECT_TRUE(answer.full());
  EXPECT_TRUE(answer.complete());
  EXPECT_EQ(answer.head().status, 429);
  answer.Clear();
  EXPECT_FALSE(answer.active());
  EXPECT_EQ(answer.body(), "");
}

}  // namespace
}  // namespace apiquota::proxy
