#include "http/content_decoder.h"

#include <gtest/gtest.h>

#include "tests/http/content_codings.h"

namespace apiquota::http {
namespace {

struct Collector final : ByteSink {
  bool Put(std::string_view bytes) override {
    text.append(bytes);
    return text.size() < enough;
  }
  std::string text;
  size_t enough = std::string::npos;
};

struct Decoded {
  std::string text;
  bool failed = false;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

std::ostream& operator<<(std::ostream& out, const Decoded& decoded) {
  return out << decoded.text.size() << " bytes, failed " << decoded.failed;
}

Decoded Decode(const std::string& coding, const std::string& body, size_t piece) {
  auto decoder = ContentDecoder::For(coding);
  EXPECT_TRUE(decoder.has_value()) << coding;
  Collector collector;
  for (size_t at = 0; at < body.size(); at += piece) {
    decoder->Write(std::string_view(body).substr(at, piece), collector);
  }
  EXPECT_EQ(decoder->output_bytes(), collector.text.size());
  return {collector.text, decoder->Failed()};
}

// Whole and byte by byte must give the same.
Decoded Decode(const std::string& coding, const std::string& body) {
  const Decoded whole = Decode(coding, body, std::max<size_t>(body.size(), 1));
  EXPECT_EQ(Decode(coding, body, 1), whole) << coding;
  return whole;
}

// JSON that looks like what APIs send: compresses about ten to one.
std::string Json(size_t items) {
  std::string text = "{\"items\":[";
  for (size_t i = 0; i < items; ++i) {
    text += "{\"id\":" + std::to_string(i * 2654435761U % 1000003) + ",\"name\":\"item " + std::to_string(i) +
            "\",\"state\":\"active\"},";
  }
  return text + "null],\"usage\":{\"total_tokens\":42}}";
}

TEST(ContentDecoderTest, UndoesEveryCodingOfTheTable) {
  const std::string json = Json(2000);
  ASSERT_GT(json.size(), 80'000U);
  const Decoded expected{json, false};
  EXPECT_EQ(Decode("gzip", Gzipped(json)), expected);
  EXPECT_EQ(Decode("X-GZip", Gzipped(json)), expected);
  EXPECT_EQ(Decode("deflate", Deflated(json, 15)), expected);
  EXPECT_EQ(Decode("deflate", Deflated(json, -15)), expected);
  EXPECT_EQ(Decode("br", Brotlied(json)), expected);
  EXPECT_EQ(Decode("zstd", Zstandard(json, 16)), expected);
  EXPECT_EQ(Decode("identity", json), expected);
}

TEST(ContentDecoderTest, StackedCodingsAreUndoneLastFirst) {
  const std::string json = Json(100);
  EXPECT_EQ(Decode("deflate, gzip", Gzipped(Deflated(json, 15))), (Decoded{json, false}));
  EXPECT_EQ(Decode("br,identity, zstd", Zstandard(Brotlied(json))), (Decoded{json, false}));
}

TEST(ContentDecoderTest, UnknownCodingsAndMoreThanTwoAreNotTried) {
  for (const std::string coding : {"compress", "gzip, gzip, gzip", "gzip;q=1", "dcb", "gzip br"}) {
    EXPECT_FALSE(ContentDecoder::For(coding).has_value()) << coding;
  }
  EXPECT_TRUE(IsIdentity("Identity") && IsIdentity("") && !IsIdentity("gzip") && !IsIdentity("identity, br"));
}

TEST(ContentDecoderTest, GzipMembersFollowEachOtherAndPaddingIsNobodysData) {
  EXPECT_EQ(Decode("gzip", Gzipped("one ") + Gzipped("") + Gzipped("two")), (Decoded{"one two", false}));
  EXPECT_EQ(Decode("gzip", Gzipped("one") + std::string(10, '\0')), (Decoded{"one", false}));
  EXPECT_EQ(Decode("br", Brotlied("one") + "padding"), (Decoded{"one", false}));
  EXPECT_EQ(Decode("zstd", Zstandard("one ") + Zstandard("two")), (Decoded{"one two", false}));
}

TEST(ContentDecoderTest, CorruptBodiesFailAndTruncatedOnesGiveWhatTheyHold) {
  const std::string json = Json(2000);
  const std::pair<std::string, std::string> bodies[] = {{"gzip", Gzipped(json)},
                                                        {"deflate", Deflated(json, 15)},
                                                        {"br", Brotlied(json)},
                                                        {"zstd", Zstandard(json)}};
  for (const auto& [coding, body] : bodies) {
    SCOPED_TRACE(coding);
    const Decoded half = Decode(coding, body.substr(0, body.size() / 2));
    EXPECT_FALSE(half.failed);
    EXPECT_TRUE(json.starts_with(half.text));
    EXPECT_TRUE(Decode(coding, "not " + body, 1000).failed);
    // One byte wrong anywhere: whatever comes out, it ends, and the same way in pieces.
    for (size_t at = 0; at < body.size(); at += 97) {
      std::string wrong = body;
      wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
      const Decoded whole = Decode(coding, wrong, wrong.size());
      EXPECT_EQ(Decode(coding, wrong, 7).failed, whole.failed) << at;
    }
  }
}

TEST(ContentDecoderTest, ABombEndsAtAHundredTimesItsSize) {
  const std::string zeros(32 << 20, '0');
  const std::pair<std::string, std::string> bombs[] = {{"gzip", Gzipped(zeros)},
                                                       {"deflate", Deflated(zeros, -15)},
                                                       {"br", Brotlied(zeros, 16)},
                                                       {"zstd", Zstandard(zeros, 16)},
                                                       {"gzip, gzip", Gzipped(Gzipped(zeros))},
                                                       {"br, gzip", Gzipped(Brotlied(zeros, 16))}};
  for (const auto& [coding, body] : bombs) {
    SCOPED_TRACE(coding);
    const Decoded whole = Decode(coding, body, body.size());
    EXPECT_TRUE(whole.failed);
    EXPECT_LE(whole.text.size(), 65536 + 100 * body.size());
    EXPECT_TRUE(Decode(coding, body, 512).failed);
  }
}

// What compresses a hundredfold and is small is no bomb.
TEST(ContentDecoderTest, SmallBodiesMayCompressAsWellAsTheyLike) {
  const std::string blanks(60'000, ' ');
  EXPECT_EQ(Decode("gzip", Gzipped(blanks)), (Decoded{blanks, false}));
  EXPECT_EQ(Decode("br", Brotlied(blanks)), (Decoded{blanks, false}));
  EXPECT_EQ(Decode("zstd", Zstandard(blanks)), (Decoded{blanks, false}));
}

TEST(ContentDecoderTest, WideWindowsAreFollowedWhileTheOutputIsSmall) {
  const std::string small = Json(1000);
  ASSERT_LT(small.size(), 60'000U);
  const std::string large = Json(40'000);
  EXPECT_EQ(Decode("br", Brotlied(small, 24)), (Decoded{small, false}));
  EXPECT_EQ(Decode("zstd", Zstandard(small, 23)), (Decoded{small, false}));
  const Decoded brotli = Decode("br", Brotlied(large, 24), 1000);
  EXPECT_TRUE(brotli.failed && large.starts_with(brotli.text));
  const Decoded zstandard = Decode("zstd", Zstandard(large, 23), 1000);
  EXPECT_TRUE(zstandard.failed && large.starts_with(zstandard.text));
  // Beyond what HTTP allows a sender to ask for (RFC 9659).
  EXPECT_EQ(Decode("zstd", Zstandard(small, 24)), (Decoded{"", true}));
}

TEST(ContentDecoderTest, NarrowWindowsAreFollowedForAsLongAsTheyGo) {
  const std::string large = Json(40'000);
  EXPECT_EQ(Decode("br", Brotlied(large, 16), 1000), (Decoded{large, false}));
  EXPECT_EQ(Decode("zstd", Zstandard(large, 16), 1000), (Decoded{large, false}));
  EXPECT_EQ(Decode("gzip", Gzipped(large), 1000), (Decoded{large, false}));
}

TEST(ContentDecoderTest, AReaderThatHasEnoughEndsTheWork) {
  const std::string body = Gzipped(Json(2000));
  auto decoder = ContentDecoder::For("gzip");
  Collector collector;
  collector.enough = 100;
  decoder->Write(body, collector);
  const size_t given = collector.text.size();
  EXPECT_LT(given, 10'000U);
  decoder->Write(body, collector);
  EXPECT_EQ(collector.text.size(), given);
  EXPECT_FALSE(decoder->Failed());
}

}  // namespace
}  // namespace apiquota::http
