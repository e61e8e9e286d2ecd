#include "provider/event_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace apiquota::provider {
namespace {

struct Events final : EventStreamHandler {
  void OnData(std::string_view piece) override { data.append(piece); }
  void OnEventEnd() override { events.push_back(std::exchange(data, {})); }
  std::string data;
  std::vector<std::string> events;
};

using Data = std::vector<std::string>;

// Whole, then byte by byte, then in threes: all must find the same. What is unfinished at the end is no
// event.
Data Read(const std::string& text, EventStream::Kind kind = EventStream::Kind::kServerSentEvents) {
  Data first;
  for (const size_t piece : {std::max<size_t>(text.size(), 1), size_t{1}, size_t{3}}) {
    EventStream stream(kind);
    Events events;
    for (size_t at = 0; at < text.size(); at += piece)
      stream.Write(std::string_view(text).substr(at, piece), events);
    if (piece == text.size()) first = events.events;
    EXPECT_EQ(events.events, first) << piece;
  }
  return first;
}

TEST(EventStreamTest, EventsEndAtAnEmptyLine) {
  EXPECT_EQ(Read("data: {\"a\":1}\n\ndata: [DONE]\n\ndata: unfinished\n"), (Data{"{\"a\":1}", "[DONE]"}));
}

TEST(EventStreamTest, LinesEndInLfCrOrBoth) {
  EXPECT_EQ(Read("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n"), (Data{"a", "b", "c", "d"}));
}

TEST(EventStreamTest, SeveralDataLinesAreOneTextAndOneSpaceIsNotPartOfIt) {
  EXPECT_EQ(Read("data:a\ndata:  b\ndata: c:d\n\n"), (Data{"a\n b\nc:d"}));
}

TEST(EventStreamTest, OtherFieldsAndCommentsAreNoData) {
  EXPECT_EQ(Read(": ping\n\nevent: error\nid: 7\ndata: x\nretry: 10\n\ndatum: y\ndata\n\ndata_: z\n\n\n\n"),
            (Data{"x"}));
}

TEST(EventStreamTest, AByteOrderMarkMayStandInFront) {
  EXPECT_EQ(Read("\xef\xbb\xbf"
                 "data: x\n\n"),
            (Data{"x"}));
}

TEST(EventStreamTest, WhereEachLineIsAnEventNothingElseIsNeeded) {
  EXPECT_EQ(Read("{\"a\":1}\n\n{\"b\":2}\r\nrest", EventStream::Kind::kLines),
            (Data{"{\"a\":1}", "{\"b\":2}"}));
}

}  // namespace
}  // namespace apiquota::provider
