#include "provider/source_parts.h"

#include <gtest/gtest.h>

#include "tests/provider/signal_lines.h"

namespace apiquota::provider {
namespace {

FieldSource Item(size_t item, const std::string& field = "") {
  FieldSource source;
  source.item = item;
  source.field = field;
  return source;
}

FieldSource Field(const std::string& field) { return Item(0, field); }

FieldSource With(const std::string& member, const std::string& field) {
  FieldSource source = Field(field);
  source.item_with = member;
  return source;
}

FieldSource Json(const std::string& pointer) {
  FieldSource source;
  source.pointer = pointer;
  source.several = pointer.find('*') != std::string::npos;
  return source;
}

FieldSource InFormat(Format format) {
  FieldSource source;
  source.formats = {format};
  source.several = true;
  return source;
}

std::string Part(const FieldSource& source, std::string_view text) {
  std::string scratch;
  const auto part = PickPart(source, text, &scratch);
  if (!part) return part.error() == PartError::kAbsent ? "(absent)" : "(malformed)";
  return std::string(*part);
}

// "name/name=text name/name=text …"
std::string Parts(const FieldSource& source, std::string_view text) {
  const auto parts = PickSeveral(source, text);
  if (!parts) return "(malformed)";
  std::string all;
  for (const NamedPart& part : *parts) {
    all += all.empty() ? "" : " ";
    for (const std::string& name : part.names) all += (&name == part.names.data() ? "" : "/") + name;
    all += "=" + part.text;
  }
  return all;
}

TEST(SourcePartsTest, APointersEscapesAreUndoneAndExponentsAreNumbers) {
  EXPECT_EQ(Part(Json("/left"), R"({"left":1.5E+2})"), "150");
  EXPECT_EQ(Part(Json("/a~1b/c~0d"), R"({"a/b":{"c~d":5}})"), "5");
}

TEST(SourcePartsTest, AFieldMayStandInAQuery) {
  const std::string_view text = "ent=300&ov=0.0&rem=88.5&rst=2026-04-01T00%3A00%3A00Z";
  EXPECT_EQ(Part(Field("rem"), text), "88.5");
  EXPECT_EQ(Part(Field("rst"), text), "2026-04-01T00:00:00Z");
  EXPECT_EQ(Part(Field("left"), text), "(absent)");
  EXPECT_EQ(Part(Field("rem"), "rem=%3&ov=%zz"), "%3");
}

TEST(SourcePartsTest, WithoutAPartTheTextIsWhole) { EXPECT_EQ(Part(Item(0), "1, 2;w=3"), "1, 2;w=3"); }

TEST(SourcePartsTest, ItemsCountFromOne) {
  EXPECT_EQ(Part(Item(1), "200,2000"), "200");
  EXPECT_EQ(Part(Item(2), "200, 2000 "), "2000");
  EXPECT_EQ(Part(Item(3), "200,2000"), "(absent)");
  EXPECT_EQ(Part(Item(1), "200"), "200");
  EXPECT_EQ(Part(Item(2), "200,"), "");
  EXPECT_EQ(Part(Item(32), std::string(1 << 20, ',')), "");
}

TEST(SourcePartsTest, FieldsAreFoundByName) {
  EXPECT_EQ(Part(Field("remaining"), "total=20; remaining=19; resets=15"), "19");
  EXPECT_EQ(Part(Field("REMAINING"), "Total=20, Remaining = 19"), "19");
  EXPECT_EQ(Part(Field("q"), R"("fixed window";"api";q=1000;w=300)"), "1000");
  EXPECT_EQ(Part(Field("api-usage"), "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"), "18/5000");
  EXPECT_EQ(Part(Field("per-app-api-usage"), "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"),
            "17/250");
  EXPECT_EQ(Part(Field("name"), R"(name="a b")"), "a b");
  EXPECT_EQ(Part(Field("age"), "usage=1"), "(absent)") << "a name is whole";
  EXPECT_EQ(Part(Field("limit"), "5000"), "(malformed)");
  EXPECT_EQ(Part(Field("limit"), ""), "(malformed)");
}

TEST(SourcePartsTest, ItemsThatHoldFieldsAreSeparatedByTheOtherSign) {
  constexpr std::string_view kUnity = "limit=20, remaining=19, reset=1; limit=4000, remaining=3994, reset=9";
  EXPECT_EQ(Part(Item(1, "remaining"), kUnity), "19");
  EXPECT_EQ(Part(Item(2, "remaining"), kUnity), "3994");
  EXPECT_EQ(Part(Item(2, "reset"), kUnity), "9");
  EXPECT_EQ(Part(Item(3, "reset"), kUnity), "(absent)");
  constexpr std::string_view kAuth0 = "b=per_hour;q=100;r=90;t=3600,b=per_day;q=300;r=250;t=86000";
  EXPECT_EQ(Part(Item(2, "q"), kAuth0), "300");
  EXPECT_EQ(Part(With("b=per_day", "r"), kAuth0), "250");
  EXPECT_EQ(Part(With("b=per_hour", "r"), kAuth0), "90");
  EXPECT_EQ(Part(With("b=per_week", "r"), kAuth0), "(absent)");
  EXPECT_EQ(Part(With("b=per_week", "r"), "NaN"), "(malformed)");
  EXPECT_EQ(Part(Item(2, "limit"), "; limit=100, reset=60"), "100");
  EXPECT_EQ(Part(Item(2, "w"), "; w=60"), "60");
}

TEST(SourcePartsTest, PointersReadJson) {
  EXPECT_EQ(Part(Json("/call_count"), R"({"call_count":28,"total_time":25})"), "28");
  EXPECT_EQ(Part(Json("/a/1/b"), R"({"a":[{"b":1},{"b":"two"}]})"), "two");
  EXPECT_EQ(Part(Json("/a"), R"({"a":null})"), "(absent)");
  EXPECT_EQ(Part(Json("/a"), R"({"a":{"b":1}})"), "(absent)");
  EXPECT_EQ(Part(Json("/a/9"), R"({"a":[1]})"), "(absent)");
  EXPECT_EQ(Part(Json("/a"), "5"), "(malformed)");
  EXPECT_EQ(Part(Json("/a"), R"({"a":1)"), "(malformed)");
  EXPECT_EQ(Part(Json("/a"), R"({"a":1e400})"), "(malformed)");
  EXPECT_EQ(Part(Json("/a"), "{\"a\":\"\xff\"}"), "(malformed)");
  EXPECT_EQ(Part(Json("/0"), std::string(1 << 20, '[')), "(malformed)");
  EXPECT_EQ(Part(Json("/0"), std::string(8000, '[') + std::string(8000, ']')), "(absent)");
}

TEST(SourcePartsTest, StarsInPointersAreNames) {
  EXPECT_EQ(Parts(Json("/*/used"), R"({"core":{"used":1},"search":{"used":2},"x":3})"), "core=1 search=2");
  EXPECT_EQ(Parts(Json("/*/*=type/n"), R"({"17":[{"type":"pages","n":1},{"type":"ads","n":2},{"n":3}]})"),
            "17/pages=1 17/ads=2");
  EXPECT_EQ(Parts(Json("/*"), "[4,5]"), "0=4 1=5");
  EXPECT_EQ(Parts(Json("/*/n"), "{}"), "");
}

TEST(SourcePartsTest, CountsNameTheirWindow) {
  EXPECT_EQ(Parts(InFormat(Format::kCounts), "20:1,100:120"), "1=20 120=100");
  EXPECT_EQ(Parts(InFormat(Format::kCounts), " 5:10 , -1:60"), "10=5 60=-1") << "numbers are judged later";
  for (const auto* text : {"", "20", "20:", "20:0", "20:1,", "20:x", "20:1;w=1"}) {
    EXPECT_EQ(Parts(InFormat(Format::kCounts), text), "(malformed)") << text;
  }
}

TEST(SourcePartsTest, SentryNamesCategories) {
  const FieldSource source = InFormat(Format::kSentry);
  EXPECT_EQ(Parts(source, "60:transaction:key, 2700:default;error;security:organization:quota"),
            "transaction=60 default=2700 error=2700 security=2700");
  EXPECT_EQ(Parts(source, "60::organization"), "all=60");
  EXPECT_EQ(Parts(source, "60:metric_bucket:organization:x:custom;other"), "metric_bucket=60");
  EXPECT_EQ(Parts(source, "60"), "(malformed)");
  EXPECT_EQ(Parts(source, ""), "(malformed)");
}

TEST(SourcePartsTest, TextsThatMeanNothingSaidAreLeftOut) {
  FieldSource source = Json("/*/minutes");
  source.except = "0";
  const auto texts = PickTexts(source, R"([{"minutes":0},{"minutes":7}])");
  EXPECT_EQ(texts.value(), std::vector<std::string>{"7"});
}

TEST(SourcePartsTest, AfterATextStandsAWordWithoutTheMarkThatEndsASentence) {
  FieldSource source;
  source.after = {"try again in "};
  std::string scratch;
  const auto after = [&](std::string_view text) {
    return std::string(PickPart(source, text, &scratch).value_or("nothing"));
  };
  EXPECT_EQ(after("Rate limit reached. Please try again in 6m0.5s. Visit us."), "6m0.5s");
  EXPECT_EQ(after("try again in 20ms"), "20ms");
  EXPECT_EQ(after("try again in  13 seconds"), "13");
  EXPECT_EQ(after("try again in 2024-01-01T00:00:00.000Z!"), "2024-01-01T00:00:00.000Z");
  EXPECT_EQ(after("try again in …"), "nothing");
  EXPECT_EQ(after("try again later"), "nothing");
  EXPECT_EQ(after("try again in a few minutes"), "nothing");
}

TEST(SourcePartsTest, ADurationInProseTakesTheUnitBehindItsNumber) {
  FieldSource source;
  source.after = {"retry after "};
  source.formats = {Format::kDuration};
  std::string scratch;
  const auto after = [&](std::string_view text) {
    return std::string(PickPart(source, text, &scratch).value_or("nothing"));
  };
  EXPECT_EQ(after("Please retry after 55 seconds. Please go"), "55s");
  EXPECT_EQ(after("Please retry after 1 second."), "1s");
  EXPECT_EQ(after("Please retry after 28 milliseconds."), "28ms");
  EXPECT_EQ(after("Please retry after 5 minutes"), "5m");
  EXPECT_EQ(after("Please retry after 15 days. To increase"), "15d");
  EXPECT_EQ(after("Please retry after 6m54.72s. Need"), "6m54.72s");
  EXPECT_EQ(after("Please retry after 7 tries"), "7");
  EXPECT_EQ(after("Please retry after 00:12:13."), "00h12m13s");
  EXPECT_EQ(after("Please retry after 12.01:02:03"), "12d01h02m03s");
  source.formats = {Format::kDeltaSeconds};
  EXPECT_EQ(after("Please retry after 55 seconds."), "55");
}

TEST(SourcePartsTest, OfSeveralTextsEachStandsBehindTheOneBefore) {
  FieldSource source;
  source.after = {"(TPM): Limit ", "Used "};
  std::string scratch;
  const auto after = [&](std::string_view text) {
    return std::string(PickPart(source, text, &scratch).value_or("nothing"));
  };
  EXPECT_EQ(after("on tokens per min (TPM): Limit 10000, Used 9000, Requested 2000."), "9000");
  EXPECT_EQ(after("on requests per min (RPM): Limit 3, Used 3, Requested 1."), "nothing");
  EXPECT_EQ(after("Used 3, (TPM): Limit 7"), "nothing");
  source.after = {"(actual/limit): "};
  EXPECT_EQ(after("Tokens per Minute (Actual/Limit): 65605/16000. You can"), "65605/16000") << "case";
  EXPECT_EQ(after("tokens (actual/limit): 552,305/500,000.\nUpgrade"), "552305/500000");
  EXPECT_EQ(after("(actual/limit): 1, 2"), "1") << "a comma with a space is no part of a number";
}

// Whole exporters, so that names, windows and mistakes can be seen.
Signals Read(const std::string& quotas, const Headers& headers) {
  const auto exporter = LoadExporter("name: x\ntitle: X\nquotas:\n" + quotas, "x.yaml");
  if (!exporter) throw std::runtime_error(exporter.error().message);
  return ExtractSignals(**exporter, Answer(200, headers));
}

TEST(SourcePartsTest, EachWindowOfCountsIsAQuota) {
  const std::string rule = R"(
  - quota: app
    unit: requests
    kind: fixed
    limit: {header: x-limit, format: counts}
    used: {header: x-count, format: counts}
)";
  EXPECT_EQ(Lines(Read(rule, {{"X-Limit", "20:1,100:120"}, {"X-Count", "3:120,1:1"}})),
            (L{"/app-120s 100 97 3 - 120 -", "/app-1s 20 19 1 - 1 -"}));
  const Signals broken = Read(rule, {{"X-Limit", "20:1,NaN:120"}, {"X-Count", "1"}});
  EXPECT_EQ(Lines(broken), (L{"/app-1s 20 - - - 1 -"}));
  ASSERT_EQ(broken.unread.size(), 2u);
  EXPECT_EQ(broken.unread[0].reason, "not a number");
  EXPECT_EQ(broken.unread[1].reason, "not a list as this API writes it");
}

TEST(SourcePartsTest, EachCategoryOfSentryIsAnExhaustedQuota) {
  const std::string rule = R"(
  - quota: "*"
    unit: events
    kind: fixed
    remaining: {value: 0}
    reset: {header: x-sentry-rate-limits, format: sentry}
)";
  EXPECT_EQ(Lines(Read(rule, {{"X-Sentry-Rate-Limits", "60:error;default:organization:x"}})),
            (L{"/default - 0 - +60 - -", "/error - 0 - +60 - -"}));
  EXPECT_EQ(Lines(Read(rule, {{"X-Sentry-Rate-Limits", "-1:error:organization"}})), L{});
}

TEST(SourcePartsTest, JsonNamesResourcesAndQuotas) {
  const std::string rule = R"(
  - quota: "*-calls"
    unit: percent
    kind: sliding
    resource: "*"
    limit: {value: 100}
    used: {header: x-usage, pointer: "/*/*=type/calls"}
    reset: {header: x-usage, pointer: "/*/*=type/minutes", format: delta-minutes, except: "0"}
)";
  EXPECT_EQ(Lines(Read(rule, {{"X-Usage", R"({"17":[{"type":"pages","calls":1,"minutes":0},
                                                    {"type":"ads","calls":90,"minutes":3}]})"}})),
            (L{"17/ads-calls 100 10 90 +180 - -", "17/pages-calls 100 99 1 - - -"}));
}

TEST(SourcePartsTest, OneNamedStatusTakesTheLimitSaidElsewhere) {
  const std::string rule = R"(
  - quota: requests
    unit: requests
    kind: fixed
    limit: {header: ratelimit-policy, field: q}
    window: {header: ratelimit-policy, field: w}
    status: ratelimit
)";
  EXPECT_EQ(Lines(Read(rule, {{"RateLimit", R"("api";r=999;t=295)"},
                              {"RateLimit-Policy", R"("fixed window";"api";q=1000;w=300)"}})),
            (L{"/api 1000 999 1 +295 300 api"}));
}

TEST(SourcePartsTest, MistakesInPartsAreNamed) {
  const auto error = [](const std::string& source) {
    return LoadExporter(
               "name: x\ntitle: X\nquotas:\n  - {quota: a, unit: usd, kind: fixed, limit: " + source + "}\n",
               "x.yaml")
        .error()
        .message;
  };
  EXPECT_EQ(error("{header: x, item: second}"),
            "x.yaml:4:65: expected an element's number, from 1, or a name=value that it holds");
  EXPECT_EQ(error("{header: x, item: 0}"), "x.yaml:4:65: expected a whole number from 1 to 32");
  EXPECT_EQ(error("{body: /x, pointer: /y}"), "x.yaml:4:67: a pointer reads JSON that stands in a header");
  EXPECT_EQ(error("{header: x, pointer: /y, item: 2}"),
            "x.yaml:4:68: expected a pointer, or item and field, not both");
  EXPECT_EQ(error("{header: x, format: counts, item: 2}"),
            "x.yaml:4:47: \"counts\" stands alone: the whole of a header, in no other format");
}

}  // namespace
}  // namespace apiquota::provider
