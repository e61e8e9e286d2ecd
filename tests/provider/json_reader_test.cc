#include "provider/json_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace apiquota::provider {
namespace {

// Wants every text and writes down what it is told.
struct Diary {
  bool OnOpen(bool array) {
    text += array ? "[" : "{";
    return true;
  }
  void OnClose() { text += ")"; }
  bool WantsKey() { return true; }
  void OnKey(std::optional<std::string_view> key) { text.append(key.value_or("?")).append(":"); }
  bool WantsScalar() { return true; }
  bool OnScalar(std::optional<std::string_view> scalar, bool null) {
    text.append(null ? "nothing" : scalar.value_or("?")).append(";");
    return true;
  }
  std::string text;
};

template <class Sink = Diary>
std::string Read(const std::vector<std::string_view>& pieces) {
  Sink diary;
  JsonReader reader(diary);
  for (const std::string_view piece : pieces) reader.Write(piece);
  return diary.text + (reader.done() ? "done" : reader.failed() ? "failed" : "more");
}

// Wants nothing of arrays.
struct ObjectDiary : Diary {
  bool OnOpen(bool array) { return !array && Diary::OnOpen(array); }
};

// Whole, byte by byte, and cut in two at every place: all must say the same.
template <class Sink = Diary>
std::string ReadEveryWay(std::string_view text) {
  const std::string whole = Read<Sink>({text});
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    bytes.push_back(text.substr(i, 1));
    EXPECT_EQ(Read<Sink>({text.substr(0, i), text.substr(i)}), whole) << text << " cut at " << i;
  }
  EXPECT_EQ(Read<Sink>(bytes), whole) << text;
  return whole;
}

TEST(JsonReaderTest, TellsWhatADocumentHolds) {
  EXPECT_EQ(
      ReadEveryWay(R"( {"a" : [1, -2.5e+3 ,true,{}, []], "long enough for two blocks of bytes":null} )"),
      "{a:[1;-2500;true;{)[))long enough for two blocks of bytes:nothing;)done");
  EXPECT_EQ(ReadEveryWay("[]"), "[)done");
  EXPECT_EQ(ReadEveryWay("\"only\""), "only;done");
}

TEST(JsonReaderTest, UndoesEscapes) {
  EXPECT_EQ(ReadEveryWay(R"(["\"\\\/\b\f\n\r\t","\u0041\u00e9\u20ac","\ud83d\ude00!"])"),
            "[\"\\/\b\f\n\r\t;A\xc3\xa9\xe2\x82\xac;\xf0\x9f\x98\x80!;)done");
  for (const char* wrong : {R"(["\x"])", R"(["\u12g4"])", R"(["\ud83d"])", R"(["\ud83dx"])",
                            R"(["\ud83d\n"])", R"(["\ud83d\u0041"])", R"(["\ude00"])", "[\"a\nb\"]"}) {
    EXPECT_EQ(ReadEveryWay(wrong), "[failed") << wrong;
  }
}

TEST(JsonReaderTest, TakesTheNumbersOfTheRfcAndNoOthers) {
  for (const std::string number : {"0", "-0", "10", "0.5", "-1.25", "12345678901234567890"}) {
    EXPECT_EQ(ReadEveryWay("[" + number + "]"), "[" + number + ";)done");
  }
  for (const std::string number : {"1e9", "1E+9", "100e7"}) {
    EXPECT_EQ(ReadEveryWay("[" + number + "]"), "[1000000000;)done") << "no reader of quotas knows exponents";
  }
  EXPECT_EQ(ReadEveryWay("[0e-2]"), "[0;)done");
  for (const std::string number :
       {"01", "-", "+1", ".5", "1.", "1.e2", "1e", "1e+", "--1", "0x1", "1_0", "NaN"}) {
    EXPECT_TRUE(ReadEveryWay("[" + number + "]").ends_with("failed")) << number;
  }
  EXPECT_EQ(ReadEveryWay("12"), "more");  // another digit may come
}

TEST(JsonReaderTest, StopsAtWhatIsNotJson) {
  for (const char* wrong : {"<", "]", "}", ",", "nul ", "tru}", "'a'"})
    EXPECT_EQ(ReadEveryWay(wrong), "failed") << wrong;
  for (const char* wrong : {"[,", "[}", "[:"}) EXPECT_EQ(ReadEveryWay(wrong), "[failed") << wrong;
  for (const char* wrong : {"{,", "{]", "{1", "{a"}) EXPECT_EQ(ReadEveryWay(wrong), "{failed") << wrong;
  EXPECT_EQ(ReadEveryWay("[1,]"), "[1;failed");
  EXPECT_EQ(ReadEveryWay("[1 2]"), "[1;failed");
  EXPECT_EQ(ReadEveryWay("[1}"), "[1;failed");
  EXPECT_EQ(ReadEveryWay("{\"a\" 1}"), "{a:failed");
  EXPECT_EQ(ReadEveryWay("{\"a\":1,}"), "{a:1;failed");
}

TEST(JsonReaderTest, StepsOverAContainerThatNobodyWantsToItsOwnEnd) {
  const auto read = [](std::string_view text) { return ReadEveryWay<ObjectDiary>(text); };
  EXPECT_EQ(read(R"({"a":[],"b":1})"), "{a:b:1;)done");
  EXPECT_EQ(read(R"({"a":[[1,{"c":[2]}],"]}","\\",{"d":"\"]"}] ,"b" : 1})"), "{a:b:1;)done");
  EXPECT_EQ(read(R"({"a":["long enough for two blocks of bytes [", 1.5e3, true]})"), "{a:)done");
  EXPECT_EQ(read("[{}]"), "done");
  EXPECT_EQ(read(R"({"a":["]})"), "{a:more");
  EXPECT_EQ(read(R"({"a":[]])"), "{a:failed");
  EXPECT_EQ(read("{\"a\":" + std::string(json::kDepthMax - 1, '[')), "{a:more");
  EXPECT_EQ(read("{\"a\":" + std::string(json::kDepthMax, '[')), "{a:failed");
}

TEST(JsonReaderTest, DepthAndWantedTextsAreBounded) {
  EXPECT_EQ(Read({std::string(json::kDepthMax, '[')}), std::string(json::kDepthMax, '[') + "more");
  EXPECT_EQ(Read({std::string(json::kDepthMax + 1, '[')}), std::string(json::kDepthMax, '[') + "failed");
  const std::string most(json::kTextBytesMax, 'x');
  EXPECT_EQ(ReadEveryWay("{\"" + most + "\":\"" + most + "\"}"), "{" + most + ":" + most + ";)done");
  EXPECT_EQ(ReadEveryWay("{\"" + most + "x\":1}"), "{?:1;)done");
  EXPECT_EQ(ReadEveryWay("[\"" + most + "x"), "[failed");
  EXPECT_EQ(ReadEveryWay("[\"" + most + "x\",2]"), "[failed");
  EXPECT_EQ(ReadEveryWay("[\"" + most + "\\n\",2]"), "[failed");
  EXPECT_EQ(ReadEveryWay("[\"\\n" + most + "\",2]"), "[failed");
  EXPECT_EQ(ReadEveryWay("[" + std::string(json::kTextBytesMax + 1, '1') + ",2]"), "[failed");
  EXPECT_EQ(ReadEveryWay("{\"" + most + "\\n\":1}"), "{?:1;)done");
}

}  // namespace
}  // namespace apiquota::provider
