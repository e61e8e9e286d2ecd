#include <gtest/gtest.h>

#include <algorithm>

#include "tests/http/codec_harness.h"
#include "tests/http/message_table.h"

namespace apiquota::http {
namespace {

TEST(RequestTableTest, EveryRowIsJudgedAsWritten) {
  for (const TableRow& row : ReadTable("requests.table")) {
    const Parsed parsed = FeedRequests(row.bytes, {0});
    EXPECT_EQ(parsed.complete, row.complete) << row.name;
    EXPECT_EQ(parsed.refusal ? parsed.refusal->status : 200, row.status) << row.name;
    EXPECT_EQ(parsed.refusal ? parsed.refusal->rule : "-", row.rule) << row.name;
    if (!parsed.refusal) {
      EXPECT_EQ(parsed.consumed, row.bytes.size()) << row.name;
    }
  }
}

TEST(RequestTableTest, EveryRefusalNamesAListedRule) {
  for (const TableRow& row : ReadTable("requests.table")) {
    if (row.status == 200) continue;
    EXPECT_NE(std::ranges::find(kRefusalRules, row.rule), std::end(kRefusalRules)) << row.name;
  }
}

TEST(RequestTableTest, BytewiseFeedingJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("requests.table")) {
    const Parsed whole = FeedRequests(row.bytes, {0});
    EXPECT_EQ(FeedRequests(row.bytes, {1}), whole) << row.name;
    EXPECT_EQ(FeedRequests(row.bytes, {2, 3, 7, 1}), whole) << row.name;
  }
}

TEST(RequestTableTest, EveryCutIntoTwoJudgesLikeWholeFeeding) {
  for (const TableRow& row : ReadTable("requests.table")) {
    if (row.bytes.size() > 1000) continue;
    const Parsed whole = FeedRequests(row.bytes, {0});
    for (size_t cut = 1; cut < row.bytes.size(); ++cut) {
      ASSERT_EQ(FeedRequests(row.bytes, {cut, row.bytes.size()}), whole) << row.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace apiquota::http
