// What limits of the operator's own let through, and what they say of it.
#include "guard/own_limits.h"

#include "base/tidy_path.h"
#include "tests/guard/own_limits_under_test.h"

namespace apiquota::guard {
namespace {

using Algorithm = LimitRule::Algorithm;

TEST(OwnLimitsTest, TheTutorialsTwoLinesOfOneNameAreTwoLimitsForEachAddress) {
  LimitRule predict = Rule("default", 5, minutes(1));
  predict.match = {.path = "/predict", .methods = {"POST"}, .callers = {}, .headers = {}};
  OwnLimits limits({predict, Rule("default", 10, minutes(1))});
  LimitedCall post = From("192.0.2.1", "/predict");
  post.method = "POST";
  EXPECT_EQ(AdmittedOf(limits, post, 20, kStart), 5);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1", "/predict"), 20, kStart), 10)
      << "a GET is none of the first's";
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.2"), 20, kStart), 10);
}

TEST(OwnLimitsTest, AFixedWindowBeginsWithItsFirstRequestAndRefusalsDoNotProlongIt) {
  OwnLimits limits({Rule("default", 3, minutes(1))});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 5, kStart), 3);
  const LimitTurn refused = limits.Ask(From("192.0.2.1"), kStart + seconds(59));
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->until, kStart + minutes(1));
  EXPECT_FALSE(Admits(limits, From("192.0.2.1"), kStart + minutes(1) - microseconds(1)));
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 5, kStart + minutes(1)), 3);
}

TEST(OwnLimitsTest, ARefusalSaysWhichLimitInItsOwnNumbers) {
  OwnLimits limits({Rule("a", 1, seconds(10)), Rule("b", 1, minutes(1)), Rule("c", 5, minutes(2))});
  EXPECT_TRUE(Admits(limits, From("192.0.2.1"), kStart));
  const LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart + seconds(1));
  ASSERT_TRUE(turn.refusal);
  EXPECT_EQ(turn.refusal->reason, Reason::kLimit);
  EXPECT_EQ(turn.refusal->status, 429);
  EXPECT_EQ(turn.refusal->quota, "b") << "the one that holds it longest";
  EXPECT_EQ(turn.refusal->limit, 1);
  EXPECT_EQ(turn.refusal->window_seconds, 60);
  EXPECT_EQ(turn.refusal->until, kStart + minutes(1));
  ASSERT_EQ(turn.standings.size(), 3U);
  EXPECT_EQ(turn.standings[0].name, "b");
  EXPECT_EQ(turn.standings[2].name, "c");
  EXPECT_EQ(turn.standings[2].remaining, 4) << "nothing was taken of it";
}

TEST(OwnLimitsTest, StandingsAreWhatIsLeftAfterThisRequest) {
  OwnLimits limits({Rule("fixed", 3, minutes(1)), Rule("sliding", 3, minutes(1), Algorithm::kSliding)});
  limits.Ask(From("192.0.2.1"), kStart);
  const LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart + seconds(15));
  ASSERT_EQ(turn.standings.size(), 2U);
  for (const LimitStanding& standing : turn.standings) {
    EXPECT_EQ(standing.limit, 3) << standing.name;
    EXPECT_EQ(standing.remaining, 1) << standing.name;
    EXPECT_EQ(standing.window, minutes(1)) << standing.name;
    EXPECT_EQ(standing.reset, seconds(45)) << standing.name;
  }
}

TEST(OwnLimitsTest, ASlidingLimitGivesEachBackAWindowAfterItWent) {
  OwnLimits limits({Rule("default", 2, minutes(1), Algorithm::kSliding)});
  EXPECT_TRUE(Admits(limits, From("192.0.2.1"), kStart));
  EXPECT_TRUE(Admits(limits, From("192.0.2.1"), kStart + seconds(40)));
  const LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart + seconds(59));
  ASSERT_TRUE(turn.refusal);
  EXPECT_EQ(turn.refusal->until, kStart + seconds(60));
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 3, kStart + seconds(60)), 1);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 3, kStart + seconds(100)), 1);
}

TEST(OwnLimitsTest, GcraLetsABurstGoAndThenOneAtATime) {
  LimitRule rule = Rule("default", 60, minutes(1), Algorithm::kGcra);
  rule.burst = 7;
  OwnLimits limits({rule});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart), 7);
  const LimitTurn turn = limits.Ask(From("192.0.2.1"), kStart);
  EXPECT_EQ(turn.refusal->until, kStart + seconds(1));
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart + seconds(1)), 1);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart + seconds(4)), 3);
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart + minutes(5)), 7)
      << "no more than the burst is saved";
}

// 60 s / 7 is no whole number of anything.
TEST(OwnLimitsTest, GcraOfAnUnevenRateAdmitsItsWholeBurst) {
  LimitRule rule = Rule("default", 7, minutes(1), Algorithm::kGcra);
  rule.burst = 7;
  OwnLimits limits({rule});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart), 7);
}

TEST(OwnLimitsTest, WhoIsExemptTakesNothing) {
  OwnLimits limits({Rule("default", 1, minutes(1))}, {"/healthz", "/static/*"});
  for (const char* path : {"/healthz", "/static/app.css", "/static/"})
    EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1", path), 5, kStart), 5) << path;
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1", "/healthz2"), 5, kStart), 1);
}

TEST(OwnLimitsTest, AnotherSpellingOfAPathIsNoWayAroundItsRule) {
  LimitRule predict = Rule("default", 2, minutes(1));
  predict.match.path = "/predict";
  OwnLimits limits({predict, Rule("default", 100, minutes(1))});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1", "/predict"), 2, kStart), 2);
  for (const char* path : {"/%70redict", "/predic%74", "/./predict", "/x/../predict", "/x/%2e%2E/predict",
                           "//predict", "/%2Fpredict", "/x/..%2fpredict", "/../predict", "/x//../predict"})
    EXPECT_FALSE(Admits(limits, From("192.0.2.1", path), kStart)) << path;
  for (const char* path : {"/predict/", "/predict//", "/Predict", "/predict%2F", "/%zz", "/...", "/%",
                           "/predict/.", "/pre%dict"})
    EXPECT_TRUE(Admits(limits, From("192.0.2.1", path), kStart)) << path;
}

TEST(OwnLimitsTest, AnotherSpellingOfAMethodIsNoWayAroundItsRule) {
  LimitRule rule = Rule("default", 1, minutes(1));
  rule.match.methods = {"POST"};
  OwnLimits limits({rule});
  const std::pair<std::string_view, int> expected[] = {
      {"POST", 1}, {"post", 0}, {"Post", 0}, {"GET", 2}, {"POSTS", 2}};
  for (const auto& [method, admitted] : expected) {
    LimitedCall call = From("192.0.2.1");
    call.method = method;
    EXPECT_EQ(AdmittedOf(limits, call, 2, kStart), admitted) << method;
  }
}

TEST(OwnLimitsTest, ARuleHoldsInWhateverSpellingItIsWritten) {
  for (const char* pattern : {"/group%2Fproject", "/group%2fproject", "/%67roup/project", "/x/../group/*"}) {
    LimitRule rule = Rule("one", 1, minutes(1));
    rule.match.path = TidyPath(pattern);
    OwnLimits limits({rule});
    EXPECT_TRUE(Admits(limits, From("192.0.2.1", "/group%2Fproject"), kStart)) << pattern;
    EXPECT_FALSE(Admits(limits, From("192.0.2.1", "/group%2Fproject"), kStart)) << pattern;
  }
}

TEST(OwnLimitsTest, NobodyIsExemptByASpellingThatLeadsElsewhere) {
  OwnLimits limits({Rule("default", 1, minutes(1))}, {"/static/*"});
  EXPECT_TRUE(Admits(limits, From("192.0.2.1", "/predict"), kStart));
  for (const char* path :
       {"/static/../predict", "/static/..%2Fpredict", "/static%2F%2e%2e/predict", "/static/a/../../x"})
    EXPECT_FALSE(Admits(limits, From("192.0.2.1", path), kStart)) << path;
  EXPECT_TRUE(Admits(limits, From("192.0.2.1", "/static/a/../b"), kStart));
}

TEST(OwnLimitsTest, AMissingPartOfByIsRefusedOrLetThroughButNeverCountedAsSomebody) {
  LimitRule rule = Rule("by-role", 1, minutes(1));
  rule.by = {{.kind = LimitSubject::Kind::kHeader, .header = "x-role"}};
  OwnLimits refuses({rule});
  http::Fields fields;
  LimitedCall call = From("192.0.2.1");
  call.fields = &fields;
  const LimitTurn turn = refuses.Ask(call, kStart);
  ASSERT_TRUE(turn.refusal);
  EXPECT_EQ(turn.refusal->lacks, "header x-role");
  EXPECT_EQ(turn.refusal->status, 429);
  fields.Add("X-Role", "");
  EXPECT_FALSE(Admits(refuses, call, kStart)) << "an empty one is none";
  rule.missing = LimitRule::Missing::kAllow;
  OwnLimits allows({rule});
  EXPECT_EQ(AdmittedOf(allows, call, 5, kStart), 5);
  fields.Clear();
  fields.Add("X-Role", "trial");
  EXPECT_EQ(AdmittedOf(allows, call, 5, kStart), 1);
}

TEST(OwnLimitsTest, PartsOfByAreCountedTogetherAndNeverRunIntoEachOther) {
  LimitRule rule = Rule("default", 1, minutes(1));
  rule.by = {{.kind = LimitSubject::Kind::kCaller}, {.kind = LimitSubject::Kind::kKey}};
  OwnLimits limits({rule});
  const auto call = [](std::string_view caller, std::string_view key) {
    return LimitedCall{.method = "GET", .path = "/", .caller = caller, .key = key, .address = {}};
  };
  EXPECT_TRUE(Admits(limits, call("ab", "c"), kStart));
  EXPECT_TRUE(Admits(limits, call("a", "bc"), kStart));
  EXPECT_FALSE(Admits(limits, call("a", "bc"), kStart));
  EXPECT_EQ(limits.Ask(call("", "bc"), kStart).refusal->lacks, "caller");
}

TEST(OwnLimitsTest, ARuleForCallersAndHeadersIsForThemAlone) {
  LimitRule rule = Rule("default", 1, minutes(1));
  rule.by = {};
  rule.match.callers = {"batch"};
  rule.match.headers = {{"x-role", "trial"}};
  OwnLimits limits({rule});
  http::Fields trial, twice;
  trial.Add("X-Role", "trial");
  twice.Add("X-Role", "trial");
  twice.Add("X-Role", "full");
  LimitedCall call{
      .method = "GET", .path = "/", .caller = "batch", .key = "k", .address = {}, .fields = &trial};
  EXPECT_EQ(AdmittedOf(limits, call, 3, kStart), 1);
  call.fields = &twice;
  EXPECT_EQ(AdmittedOf(limits, call, 3, kStart), 3);
  call.fields = &trial;
  call.caller = "web";
  EXPECT_EQ(AdmittedOf(limits, call, 3, kStart), 3);
  call.caller = "";
  EXPECT_EQ(AdmittedOf(limits, call, 3, kStart), 3);
}

TEST(OwnLimitsTest, OneOfSeveralThatRefusesLeavesTheOthersUntouched) {
  OwnLimits limits({Rule("wide", 100, minutes(1)), Rule("narrow", 1, minutes(1), Algorithm::kSliding),
                    Rule("even", 100, minutes(1), Algorithm::kGcra)});
  EXPECT_TRUE(Admits(limits, From("192.0.2.1"), kStart));
  const std::string before = StateOf(limits, kStart);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(Admits(limits, From("192.0.2.1"), kStart + seconds(1)));
  EXPECT_EQ(StateOf(limits, kStart), before);
}

TEST(OwnLimitsTest, CountsGoOnWhereNameAlgorithmUnitWindowAndByStay) {
  LimitRule predict = Rule("default", 5, minutes(1));
  predict.match.path = "/predict";
  OwnLimits limits({predict, Rule("default", 10, minutes(1))});
  AdmittedOf(limits, From("192.0.2.1"), 4, kStart);
  LimitTurn held = limits.Ask(From("192.0.2.1", "/predict"), kStart);
  LimitRule wider = Rule("default", 12, minutes(1));
  limits.Configure({wider, Rule("other", 3, minutes(1))}, {});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart), 3) << "the new one holds, too";
  limits.Refund(held.hold, kStart);
  limits.Configure({wider}, {});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart), 5) << "of 12, 7 are used";
  wider.window = minutes(2);
  limits.Configure({wider}, {});
  EXPECT_EQ(AdmittedOf(limits, From("192.0.2.1"), 20, kStart), 12) << "another window is another limit";
}

TEST(OwnLimitsTest, StandingsOfOneWhoAsksForThemTakeNothing) {
  LimitRule mine = Rule("mine", 5, minutes(1));
  mine.by = {{.kind = LimitSubject::Kind::kCaller}};
  LimitRule others = mine;
  others.name = "others";
  others.match.callers = {"batch"};
  LimitRule by_header = mine;
  by_header.name = "by-header";
  by_header.by = {{.kind = LimitSubject::Kind::kHeader, .header = "x-role"}};
  by_header.missing = LimitRule::Missing::kAllow;
  OwnLimits limits({mine, others, by_header});
  LimitedCall call = From("192.0.2.1");
  call.caller = "web";
  limits.Ask(call, kStart);
  const std::string before = StateOf(limits, kStart);
  const auto standings = limits.StandingsOf(call, kStart + seconds(10));
  ASSERT_EQ(standings.size(), 1U);
  EXPECT_EQ(standings[0].name, "mine");
  EXPECT_EQ(standings[0].remaining, 4);
  EXPECT_EQ(standings[0].reset, seconds(50));
  EXPECT_EQ(StateOf(limits, kStart), before);
}

}  // namespace
}  // namespace apiquota::guard
