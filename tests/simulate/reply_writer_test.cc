#include "simulate/reply_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace apiquota::simulate {
namespace {

using provider::FieldSource;
using provider::Format;

FieldSource Header(const std::string& name, size_t item = 0, const std::string& field = "",
                   const std::string& item_with = "") {
  FieldSource source;
  source.name = name;
  source.formats = {Format::kDecimal};
  source.item = item;
  source.field = field;
  source.item_with = item_with;
  return source;
}

FieldSource JsonHeader(const std::string& name, const std::string& pointer) {
  FieldSource source = Header(name);
  source.pointer = pointer;
  source.several = pointer.find('*') != std::string::npos;
  return source;
}

FieldSource Several(const std::string& name, Format format) {
  FieldSource source = Header(name);
  source.formats = {format};
  source.several = true;
  return source;
}

FieldSource Body(const std::string& pointer) {
  FieldSource source = Header(pointer);
  source.from = FieldSource::From::kBody;
  return source;
}

std::string Text(const ReplyWriter& reply) {
  std::string text;
  const http::Fields fields = reply.Fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    text += fmt::format("{}: {}\n", fields[i].name, fields[i].value);
  }
  return text + reply.Body(nlohmann::ordered_json::object());
}

TEST(ReplyWriterTest, AHeaderSaysWhatWasSaidFirst) {
  ReplyWriter reply;
  reply.Say(Header("a"), {}, "1");
  reply.Say(Header("b-*-left"), {"minute"}, "2");
  reply.Say(Header("a"), {}, "3");
  EXPECT_EQ(Text(reply), "a: 1\nb-minute-left: 2\n{}\n");
  reply.SetHeader("a", "4");
  EXPECT_EQ(Text(reply), "a: 4\nb-minute-left: 2\n{}\n");
  EXPECT_TRUE(reply.HasHeader("a"));
  EXPECT_FALSE(reply.HasHeader("c"));
}

TEST(ReplyWriterTest, ElementsStandInTheirPlaces) {
  ReplyWriter reply;
  reply.Say(Header("a", 2), {}, "1000");
  reply.Say(Header("a", 1), {}, "100");
  reply.Say(Header("b", 2), {}, "5");
  EXPECT_EQ(Text(reply), "a: 100,1000\nb: ,5\n{}\n");
}

TEST(ReplyWriterTest, NamesStandBesideEachOtherAndWithinElements) {
  ReplyWriter reply;
  reply.Say(Header("a", 0, "limit"), {}, "20");
  reply.Say(Header("a", 0, "remaining"), {}, "19");
  for (const size_t item : {1, 2}) {
    reply.Say(Header("b", item, "limit"), {}, "20");
    reply.Say(Header("b", item, "remaining"), {}, "19");
  }
  reply.Say(Header("d", 2, "limit"), {}, "20");
  reply.Say(Header("c", 0, "q", "b=per_hour"), {}, "100");
  reply.Say(Header("c", 0, "r", "b=per_hour"), {}, "90");
  reply.Say(Header("c", 0, "q", "b=per_day"), {}, "300");
  EXPECT_EQ(Text(reply),
            "a: limit=20; remaining=19\n"
            "b: limit=20, remaining=19; limit=20, remaining=19\n"
            "d: -, -; limit=20\n"
            "c: b=per_hour, q=100, r=90; b=per_day, q=300\n{}\n");
}

TEST(ReplyWriterTest, SeveralQuotasShareAText) {
  ReplyWriter reply;
  reply.Say(Several("a", Format::kCounts), {"1"}, "20");
  reply.Say(Several("a", Format::kCounts), {"120"}, "100");
  reply.Say(Several("b", Format::kSentry), {"error"}, "60");
  EXPECT_EQ(Text(reply), "a: 20:1,100:120\nb: 60:error:organization\n{}\n");
}

TEST(ReplyWriterTest, JsonStandsInHeaders) {
  ReplyWriter reply;
  reply.Say(JsonHeader("a", "/call_count"), {}, "28");
  reply.Say(JsonHeader("a", "/total_time"), {}, "25.5");
  reply.Say(JsonHeader("b", "/*/*=type/n"), {"page-1", "ads"}, "1");
  reply.Say(JsonHeader("b", "/*/*=type/m"), {"page-1", "ads"}, "2");
  EXPECT_EQ(Text(reply),
            "a: {\"call_count\":28,\"total_time\":25.5}\n"
            "b: {\"page-1\":[{\"type\":\"ads\",\"n\":1,\"m\":2}]}\n{}\n");
}

TEST(ReplyWriterTest, PlacesInABodyMakeADocument) {
  ReplyWriter reply;
  EXPECT_FALSE(reply.body_said());
  reply.Say(Body("/resources/*/remaining"), {"core"}, "5");
  reply.Say(Body("/resources/*/reset"), {"core"}, "2027-01-15T08:00:02Z");
  reply.SetBody("/errors/*/extensions/code", "THROTTLED");
  reply.SetBody("/a~1b/final", "true");
  reply.AddToBody("/message", "Slow down");
  reply.AddToBody("/message", "Try again in 5s");
  EXPECT_TRUE(reply.body_said());
  EXPECT_EQ(reply.Body({{"simulated", "x"}, {"message", "over"}}),
            "{\"simulated\":\"x\",\"message\":\"Slow down. Try again in 5s\",\"resources\":{\"core\":{"
            "\"remaining\":5,\"reset\":\"2027-01-15T08:00:02Z\"}},\"errors\":[{\"extensions\":{\"code\":"
            "\"THROTTLED\"}}],\"a/b\":{\"final\":true}}\n");
}

TEST(ReplyWriterTest, AMemberNamesAListsElement) {
  ReplyWriter reply;
  FieldSource limit = Body("/details/*/violations/*/value");
  limit.named_by = "/details/*/violations/*/id";
  reply.Say(limit, {"0", "PerDay"}, "100");
  reply.Say(limit, {"0", "PerMinute"}, "5");
  EXPECT_EQ(reply.Body({}),
            R"({"details":[{"violations":[{"id":"PerDay","value":100},{"id":"PerMinute","value":5}]}]})"
            "\n");
}

TEST(ReplyWriterTest, ABodyMayBeAList) {
  ReplyWriter reply;
  reply.SetBody("/0/code", "slow");
  EXPECT_EQ(reply.Body({{"simulated", "x"}}), "[{\"code\":\"slow\"}]\n");
}

}  // namespace
}  // namespace apiquota::simulate
