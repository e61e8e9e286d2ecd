#include "metrics/unread_headers.h"

#include <gtest/gtest.h>

namespace apiquota::metrics {
namespace {

using provider::Unread;
using provider::UnreadKind;
using Names = std::vector<std::string>;

Unread NotDescribed(const std::string& name) { return {name, "not described by the exporter"}; }

TEST(UnreadHeadersTest, NamesAreKeptByApiOnceAndSorted) {
  UnreadHeaders unread;
  unread.Note(0, "a", {NotDescribed("x-quota-b"), NotDescribed("x-quota-a"), NotDescribed("x-quota-b")});
  unread.Note(0, "b", {NotDescribed("x-limit")});
  EXPECT_EQ(unread.NamesOf("a"), (Names{"x-quota-a", "x-quota-b"}));
  EXPECT_EQ(unread.NamesOf("b"), (Names{"x-limit"}));
  EXPECT_EQ(unread.NamesOf("c"), Names{});
}

TEST(UnreadHeadersTest, WhatIsDescribedAndCantBeReadIsNoneOfThem) {
  UnreadHeaders unread;
  unread.Note(0, "a", {{"x-limit", "not a number", UnreadKind::kMalformed, provider::SignalField::kLimit}});
  EXPECT_EQ(unread.NamesOf("a"), Names{});
}

TEST(UnreadHeadersTest, AnApiCantMakeItKeepMoreThanItsShare) {
  UnreadHeaders unread;
  for (int i = 0; i < 100; ++i) unread.Note(0, "a", {NotDescribed("x-limit-" + std::to_string(i))});
  unread.Note(0, "b", {NotDescribed("x-limit-" + std::string(100, 'x')), NotDescribed("x-limit")});
  EXPECT_EQ(unread.NamesOf("a").size(), UnreadHeaders::kNamesMax);
  EXPECT_EQ(unread.NamesOf("b"), (Names{"x-limit"}));
}

TEST(UnreadHeadersTest, WhatAnExporterOfBeforeFindsIsForgotten) {
  UnreadHeaders unread;
  const uint64_t before = unread.generation();
  unread.Note(before, "a", {NotDescribed("x-limit")});
  unread.Forget();
  EXPECT_EQ(unread.NamesOf("a"), Names{});
  unread.Note(before, "a", {NotDescribed("x-limit")});
  EXPECT_EQ(unread.NamesOf("a"), Names{});
  unread.Note(unread.generation(), "a", {NotDescribed("x-limit")});
  EXPECT_EQ(unread.NamesOf("a"), (Names{"x-limit"}));
}

int DueOf(UnreadSampler& sampler, int status, int answers) {
  int due = 0;
  for (int i = 0; i < answers; ++i) due += sampler.Due(status) ? 1 : 0;
  return due;
}

TEST(UnreadSamplerTest, TheFirstAnswersAreLookedThroughAndThenAFew) {
  UnreadSampler sampler;
  EXPECT_EQ(DueOf(sampler, 200, 64), 64);
  EXPECT_EQ(DueOf(sampler, 200, 64), 1);
  EXPECT_EQ(DueOf(sampler, 429, 64), 64) << "refusals are counted apart";
  EXPECT_EQ(DueOf(sampler, 429, 64), 4);
}

}  // namespace
}  // namespace apiquota::metrics
