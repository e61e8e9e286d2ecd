#include "provider/body_scan.h"

#include <gtest/gtest.h>

namespace apiquota::provider {
namespace {

using Values = std::vector<http::BodyValue>;

// Fed whole, then byte by byte: both must find the same.
Values Scan(const std::vector<std::string>& pointers, const std::string& body) {
  BodyScanner whole(pointers);
  whole.Write(body);
  BodyScanner bytes(pointers);
  for (const char& c : body) bytes.Write(std::string_view(&c, 1));
  Values values = whole.TakeValues();
  EXPECT_EQ(bytes.TakeValues(), values);
  EXPECT_EQ(bytes.Failed(), whole.Failed());
  return values;
}

TEST(BodyScannerTest, ReadsScalarsAtPointersAsText) {
  EXPECT_EQ(
      Scan(
          {"/error/code", "/n", "/f", "/yes", "/neg", "/big"},
          R"({"a":[1,{"code":2}],"error":{"x":{"code":"no"},"code":"insufficient_quota"},"n":42,"f":-1.50e2,)"
          R"("yes":true,"neg":-7,"big":18446744073709551616})"),
      (Values{{"/error/code", "insufficient_quota"},
              {"/n", "42"},
              {"/f", "-150"},
              {"/yes", "true"},
              {"/neg", "-7"},
              {"/big", "18446744073709551616"}}));
}

TEST(BodyScannerTest, AByteOrderMarkHidesNoDocument) {
  EXPECT_EQ(Scan({"/n"}, "\xef\xbb\xbf{\"n\":5}"), (Values{{"/n", "5"}}));
  for (const char* body :
       {"\xef\xbb{\"n\":5}", "\xef\xbb\xbf\xef\xbb\xbf{\"n\":5}", "{\xef\xbb\xbf\"n\":5}"}) {
    BodyScanner scanner({"/n"});
    scanner.Write(body);
    EXPECT_TRUE(scanner.Failed()) << body;
  }
}

TEST(BodyScannerTest, ReadsArrayElementsByIndex) {
  EXPECT_EQ(Scan({"/errors/1/type", "/list/2"},
                 R"({"errors":[{"type":"A"},{"type":"B"},{"type":"C"}],"list":["x",["y"],"z\"\u00fc"]})"),
            (Values{{"/errors/1/type", "B"}, {"/list/2", "z\"\xc3\xbc"}}));
  EXPECT_EQ(Scan({"/0"}, R"([5])"), (Values{{"/0", "5"}}));
}

TEST(BodyScannerTest, AStarStandsForAnyKeyOrIndex) {
  EXPECT_EQ(
      Scan({"/resources/*/limit", "/resources/core/used"},
           R"({"limit":1,"resources":{"core":{"limit":60,"used":1},"search":{"limit":10,"x":{"limit":2}}}})"),
      (Values{{"/resources/*/limit", "60", {"core"}},
              {"/resources/core/used", "1"},
              {"/resources/*/limit", "10", {"search"}}}));
  EXPECT_EQ(
      Scan({"/error/details/*/retryDelay", "/*/errorCode", "/list/*"},
           R"({"error":{"details":[{"@type":"Help"},{"retryDelay":"26s"}]},"list":["a",["b"],"c"]})"),
      (Values{
          {"/error/details/*/retryDelay", "26s", {"1"}}, {"/list/*", "a", {"0"}}, {"/list/*", "c", {"2"}}}));
  EXPECT_EQ(Scan({"/*/errorCode"}, R"([{"errorCode":"REQUEST_LIMIT_EXCEEDED"}])"),
            (Values{{"/*/errorCode", "REQUEST_LIMIT_EXCEEDED", {"0"}}}));
}

TEST(BodyScannerTest, EachStarOfAPointerIsTold) {
  EXPECT_EQ(Scan({"/d/*/v/*/id", "/d/*/wait", "/*/*/*/*"},
                 R"({"d":[{"wait":"26s"},{"v":[{"n":5,"id":"A"},{"id":"B"}]},{"v":{"x":{"id":"C"}}}]})"),
            (Values{{"/d/*/wait", "26s", {"0"}},
                    {"/d/*/v/*/id", "A", {"1", "0"}},
                    {"/d/*/v/*/id", "B", {"1", "1"}},
                    {"/d/*/v/*/id", "C", {"2", "x"}}}));
  EXPECT_EQ(Scan({"/*/*/*/*"}, R"({"a":[[{"b":1}],[2,{"c":{}}]],"d":{"e":{"f":[3]}}})"),
            (Values{{"/*/*/*/*", "1", {"a", "0", "0", "b"}}, {"/*/*/*/*", "3", {"d", "e", "f", "0"}}}));
  EXPECT_EQ(PointerSet().Add("/*/*/*/*/*"), 0U) << "four stars at most";
}

TEST(BodyScannerTest, OfManyValuesAtAStarTheFirstAndTheLastAreKept) {
  std::string body = "[";
  for (int i = 0; i < 1000; ++i) body += "{\"n\":" + std::to_string(i) + "},";
  const Values values = Scan({"/*/n"}, body + "0]");
  ASSERT_EQ(values.size(), 64U);
  EXPECT_EQ(values[62], (http::BodyValue{"/*/n", "62", {"62"}}));
  EXPECT_EQ(values[63], (http::BodyValue{"/*/n", "999", {"999"}}));
}

TEST(BodyScannerTest, MoreTextThanAnyRuleNeedsIsGivenUp) {
  std::string body = "{";
  for (int i = 0; i < 40; ++i) body += "\"k" + std::to_string(i) + "\":\"" + std::string(1000, 'x') + "\",";
  const std::vector<std::string> pointers = {"/*"};
  BodyScanner scanner(pointers);
  scanner.Write(body);
  EXPECT_TRUE(scanner.Failed());
}

TEST(BodyScannerTest, LongNamesAtStarsCountAsText) {
  std::string body = "{";
  for (int i = 0; i < 40; ++i) body += "\"" + std::to_string(i) + std::string(1000, 'k') + "\":1,";
  const std::vector<std::string> pointers = {"/*"};
  BodyScanner scanner(pointers);
  scanner.Write(body);
  EXPECT_TRUE(scanner.Failed());
}

TEST(BodyScannerTest, OneScannerReadsDocumentAfterDocument) {
  const PointerSet set({"/a", "/b", "/c"});
  BodyScanner scanner(set, 0b101);
  scanner.Write(R"({"a":1,"b":2,)");
  EXPECT_EQ(scanner.TakeValues(), (Values{{"/a", "1"}}));
  scanner.Restart();
  scanner.Write("[DONE]");
  EXPECT_TRUE(scanner.Failed());
  scanner.Restart();
  EXPECT_FALSE(scanner.Failed() || scanner.HasValues());
  scanner.Write(R"({"b":2,"c":3,"a":4})");
  EXPECT_TRUE(scanner.Done());
  EXPECT_EQ(scanner.TakeValues(), (Values{{"/c", "3"}, {"/a", "4"}}));
}

TEST(BodyScannerTest, EscapedPointersNameOddKeys) {
  EXPECT_EQ(Scan({"/a~1b/c~0d", "/ "}, R"({"a/b":{"c~d":1}," ":2})"),
            (Values{{"/a~1b/c~0d", "1"}, {"/ ", "2"}}));
}

TEST(BodyScannerTest, NullAndContainersAreNoValues) {
  EXPECT_EQ(Scan({"/a", "/b", "/c"}, R"({"a":null,"b":{"c":1},"c":[]})"), Values{});
}

TEST(BodyScannerTest, TheFirstValueAtAPointerCounts) {
  EXPECT_EQ(Scan({"/a"}, R"({"a":1,"a":2})"), (Values{{"/a", "1"}}));
}

TEST(BodyScannerTest, StopsOnceAllIsFound) {
  const std::vector<std::string> pointers = {"/model"};
  BodyScanner scanner(pointers);
  scanner.Write(R"({"model":"gpt-4o","messages":[)");
  EXPECT_TRUE(scanner.Done());
  scanner.Write("}}} this is not JSON");
  EXPECT_FALSE(scanner.Failed());
  EXPECT_EQ(scanner.TakeValues(), (Values{{"/model", "gpt-4o"}}));
}

TEST(BodyScannerTest, WithoutPointersThereIsNothingToDo) {
  const std::vector<std::string> none;
  EXPECT_TRUE(BodyScanner(none).Done());
}

TEST(BodyScannerTest, FailsOnWhatIsNotJson) {
  const std::vector<std::string> pointers = {"/a"};
  for (const std::string body : {"<html>", "{\"a\" 1}", "{'a':1}", "[1,]", "{\"b\":01}"}) {
    BodyScanner scanner(pointers);
    scanner.Write(body);
    EXPECT_TRUE(scanner.Failed()) << body;
    EXPECT_EQ(scanner.TakeValues(), Values{}) << body;
  }
}

TEST(BodyScannerTest, DeepNestingAndLongValuesFailInsteadOfGrowing) {
  const std::vector<std::string> pointers = {"/a"};
  BodyScanner deep(pointers);
  deep.Write(std::string(100, '['));
  EXPECT_TRUE(deep.Failed());

  BodyScanner value(pointers);
  value.Write("{\"a\":\"" + std::string(1025, 'x'));
  EXPECT_TRUE(value.Failed());

  BodyScanner number(pointers);
  number.Write("{\"a\":" + std::string(1025, '1') + "}");
  EXPECT_TRUE(number.Failed());

  BodyScanner escaped({"/a"});
  escaped.Write("{\"a\":\"\\n" + std::string(1024, 'x') + "\"}");
  EXPECT_TRUE(escaped.Failed());
  EXPECT_FALSE(escaped.HasValues());
}

TEST(BodyScannerTest, LongValuesAndKeysElsewhereArePassedOver) {
  const std::string longs(1 << 20, 'x');
  EXPECT_EQ(Scan({"/a"}, "{\"" + longs + "\":\"" + longs + "\",\"b\":{\"" + longs + "\":[\"" + longs +
                             "\"]},\"a\":1}"),
            (Values{{"/a", "1"}}));
}

}  // namespace
}  // namespace apiquota::provider
