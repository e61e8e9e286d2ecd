// Worlds whose seeds once broke an invariant, and what shows that a world would notice.
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world_families.h"

namespace apiquota::world {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> FailuresOf(std::string_view family, uint64_t seed) {
  return World(Draw(*FindFamily(family), seed), seed).Run().failures;
}

TEST(WorldTest, WithoutAGuardTheApiRefuses) {
  for (const std::string_view family : {"fixed", "aligned", "sliding", "bucket", "declared"}) {
    Scenario scenario = Draw(*FindFamily(family), 1);
    scenario.subject = SubjectKind::kNone;
    const Report report = World(scenario, 1).Run();
    EXPECT_THAT(report.failures, Contains(HasSubstr("the API refused"))) << family;
    EXPECT_GT(report.api_refusals, report.served / 20) << family;
  }
}

TEST(WorldTest, TheSameSeedIsTheSameWorld) {
  for (const SubjectKind subject : {SubjectKind::kAlone, SubjectKind::kShared}) {
    Scenario scenario = Draw(*FindFamily("faults"), 3);
    scenario.subject = subject;
    const Report one = World(scenario, 3).Run(), other = World(scenario, 3).Run();
    EXPECT_EQ(one.events, other.events);
    EXPECT_EQ(one.attempts, other.attempts);
    EXPECT_EQ(one.served, other.served);
    EXPECT_EQ(one.share, other.share);
  }
}

TEST(WorldTest, EachFamilyHasANameOfItsOwn) {
  for (const Family& family : Families()) EXPECT_EQ(FindFamily(family.name), &family);
}

// A clock whose offset becomes known with the second answer once moved the end of the window, and what the
// answers that overtook each other had said was forgotten.
TEST(WorldTest, AnOffsetThatBecomesKnownDoesNotBeginAWindow) {
  EXPECT_THAT(FailuresOf("mixed", 7), IsEmpty());
  EXPECT_THAT(FailuresOf("crowd", 1), IsEmpty());
}

// What was sent before a key's limit was known was once missing in the log of a sliding window.
TEST(WorldTest, RequestsOfAColdKeyCountInItsSlidingWindow) {
  EXPECT_THAT(FailuresOf("sliding", 5), IsEmpty());
  EXPECT_THAT(FailuresOf("short-window", 1), IsEmpty());
}

// Where only answers name the resource, the requests under way were once missing in its quota; and so were
// those that had been sent and had ended without an answer before anything was known.
TEST(WorldTest, WhatWasSentBeforeAnythingWasKnownCounts) {
  EXPECT_THAT(FailuresOf("resources", 6), IsEmpty());
  EXPECT_THAT(FailuresOf("resources", 31), IsEmpty());
  EXPECT_THAT(FailuresOf("mixed", 29), IsEmpty());
}

// A request whose client had left was once taken to be in the next reading, while it was still on its way;
// and of many readings that overtook each other the lowest was forgotten.
TEST(WorldTest, WhatIsOnItsWayIsInNoReading) {
  EXPECT_THAT(FailuresOf("faults", 15), IsEmpty());
  EXPECT_THAT(FailuresOf("resources", 190), IsEmpty());
}

// A bucket's level, said in whole numbers, was once believed to the fraction while others were unanswered.
TEST(WorldTest, AFractionIsKnownOnlyWhenNothingIsUnderWay) {
  EXPECT_THAT(FailuresOf("faults", 63), IsEmpty());
  EXPECT_THAT(FailuresOf("faults", 658), IsEmpty());
}

// Answers that overtook each other once passed for a quota that refills without an end.
TEST(WorldTest, AnElasticWindowIsNotTakenForASlidingOne) {
  EXPECT_THAT(FailuresOf("generic-elastic", 1), IsEmpty());
  EXPECT_THAT(FailuresOf("generic-elastic", 3), IsEmpty());
}

// A handful that had waited for a reset once left half a second apart, in each of its windows.
TEST(WorldTest, AHandfulDoesNotLeaveOverSeconds) { EXPECT_THAT(FailuresOf("generic-sliding", 1), IsEmpty()); }

// Refused requests once earned retries.
TEST(WorldTest, ARefusalEarnsNoRetry) { EXPECT_THAT(FailuresOf("down", 2), IsEmpty()); }

// What had left a sliding window before a reading was once taken to have left it since, if nobody had asked.
TEST(WorldTest, WhatIsLeftDoesNotDependOnWhoAskedWhen) {
  EXPECT_THAT(FailuresOf("refusals-count", 29), IsEmpty());
}

// Spans in whole seconds to one moment once passed for two windows.
TEST(WorldTest, ARoundedSpanBeginsNoWindow) { EXPECT_THAT(FailuresOf("second-minute-day", 24), IsEmpty()); }

// What had been sent once stayed taken for ever where no reading showed it.
TEST(WorldTest, AnApiThatFallsSilentIsUsedOn) {
  for (const uint64_t seed : {1, 2, 3, 7}) EXPECT_THAT(FailuresOf("falls-silent", seed), IsEmpty());
  EXPECT_THAT(FailuresOf("large-guesses", 32), IsEmpty());
}

TEST(WorldTest, AShareOfOneIsStoppedAtFullUse) { EXPECT_THAT(FailuresOf("unified-in-full", 1), IsEmpty()); }

// Requests whose clients had left were forgotten while nothing was known of the key, or thought to be counted
// before they had arrived.
TEST(WorldTest, WhoeverLeavesHasSentARequest) {
  EXPECT_THAT(FailuresOf("mixed", 29), IsEmpty());
  EXPECT_THAT(FailuresOf("faults", 15), IsEmpty());
}

// More answers on their way together than are kept apart.
TEST(WorldTest, TheLeastOfManyLevelsIsKept) { EXPECT_THAT(FailuresOf("mixed", 28), IsEmpty()); }

// Where only answers name the resource, what was under way before the first did not count in it.
TEST(WorldTest, RequestsOfAnUnknownResourceCountOnceItIsNamed) {
  EXPECT_THAT(FailuresOf("resources", 6), IsEmpty());
  EXPECT_THAT(FailuresOf("resources", 31), IsEmpty());
}

// A limit that was held up by another once let everybody go at once: the time for leaving was over.
TEST(WorldTest, ACrowdLeavesEvenlyWhateverHeldIt) {
  for (const std::string_view family : {"crowd", "generic-crowd", "sliding-crowd"}) {
    EXPECT_THAT(FailuresOf(family, 1), IsEmpty()) << family;
  }
}

// Who only looked at a limit, or asked once more, changed when others left.
TEST(WorldTest, LookingChangesNothing) {
  EXPECT_THAT(FailuresOf("generic-aligned", 7), IsEmpty());
  EXPECT_THAT(FailuresOf("tokens-fixed", 8), IsEmpty());
  EXPECT_THAT(FailuresOf("sliding", 3), IsEmpty());
}

// Windows of 2 s whose ends are told in whole seconds: an answer that was late once made those before it
// forgotten.
TEST(WorldTest, WindowsThatCannotBeToldApartForgetNothing) {
  EXPECT_THAT(FailuresOf("short-window", 20115), IsEmpty());
  EXPECT_THAT(FailuresOf("short-window", 20671), IsEmpty());
}

// A rate that follows from rounded numbers is no ground for the fraction of a request.
TEST(WorldTest, AFractionIsNotReckonedAtADerivedRate) { EXPECT_THAT(FailuresOf("bucket", 40295), IsEmpty()); }

// What one takes may leave nothing for those of another resource; and a ramp may outlive whom it was for.
TEST(WorldTest, HowOftenOneLooksChangesNothing) {
  for (const uint64_t seed : {87, 111, 166, 183, 184})
    EXPECT_THAT(FailuresOf("slots-and-window", seed), IsEmpty()) << seed;
}

TEST(WorldTest, WithoutSlotsAnApiThatBoundsCallsAtOnceRefuses) {
  for (const uint64_t seed : {1, 2, 3}) {
    Scenario scenario = Draw(*FindFamily("slots"), seed);
    scenario.options.concurrency.reset();
    const Report report = World(scenario, seed).Run();
    EXPECT_THAT(report.failures, Contains(HasSubstr("the API refused"))) << seed;
  }
}

TEST(WorldTest, WithoutABreakerAnApiThatIsDownIsAskedOnAndOn) {
  Scenario scenario = Draw(*FindFamily("breaker-outage"), 1);
  scenario.options.breaker.reset();
  EXPECT_THAT(World(scenario, 1).Run().failures, Contains(HasSubstr("in an outage")));
}

}  // namespace
}  // namespace apiquota::world
