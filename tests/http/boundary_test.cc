// Nothing illegal leaves: whatever bytes stand in a name, a value, a method, a path or a reason, what is
// written is a well-formed head that our own strict parser reads back.
#include <gtest/gtest.h>

#include "http/forward.h"
#include "tests/http/codec_harness.h"

namespace apiquota::http {
namespace {

const BaseUrl kBase{.tls = false, .host = "b", .port = 80, .path = "/v1", .authority = "b"};

// Every byte, alone and between letters.
std::vector<std::string> AllBytes() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    texts.push_back(std::string(1, c));
    texts.push_back(std::string("a") + c + "b");
    texts.push_back(std::string("a\r\nEvil: 1") + c);
  }
  return texts;
}

RequestHead HeadWithMethod(const std::string& method) {
  RequestHead head;
  head.method = method;
  return head;
}

size_t FieldsWritten(const RequestHead& head, std::vector<FieldView> replace, std::string_view path) {
  std::string out;
  AppendUpstreamHead({.head = &head, .base = &kBase, .path = path, .replace = std::move(replace)}, &out);
  RequestParser parser(CodecLimits{});
  std::vector<std::string_view> body;
  const ParseStep step = parser.Parse(out, &body);
  EXPECT_TRUE(step.complete && step.consumed == out.size()) << out;
  EXPECT_EQ(parser.head().fields.Count("evil"), 0) << out;
  return parser.head().fields.size();
}

TEST(BoundaryTest, EveryByteInANameOrValueGivesALegalFieldOrNone) {
  for (const std::string& text : AllBytes()) {
    RequestHead head = HeadWithMethod("GET");
    head.fields.Add("N" + text, "v");
    head.fields.Add("n", text);
    const size_t legal = (IsToken("N" + text) ? 1 : 0) + (IsFieldValue(text) ? 1 : 0);
    EXPECT_EQ(FieldsWritten(head, {}, "/x"), 2 + legal);
    EXPECT_EQ(FieldsWritten(HeadWithMethod("GET"), {{"n", text}}, "/x"), 2 + (IsFieldValue(text) ? 1 : 0));
  }
}

TEST(BoundaryTest, EveryByteInAPathOrMethodGivesOneRequestLine) {
  for (const std::string& text : AllBytes()) {
    EXPECT_EQ(FieldsWritten(HeadWithMethod("GET"), {}, "/" + text), 2);
    EXPECT_EQ(FieldsWritten(HeadWithMethod(text), {}, "/x"), 2);
  }
}

TEST(BoundaryTest, EveryByteInAResponseGivesALegalHead) {
  for (const std::string& text : AllBytes()) {
    ResponseHead head;
    head.status = 200;
    head.reason = text;
    head.framing = BodyFraming::kLength;
    head.fields.Add("N" + text, "v");
    head.fields.Add("n", text);
    std::string out;
    AppendClientHead({.head = &head}, &out);
    ResponseParser parser(CodecLimits{});
    parser.Reset("GET");
    std::vector<std::string_view> body;
    EXPECT_TRUE(parser.Parse(out, &body).complete) << out;
    const size_t legal = (IsToken("N" + text) ? 1 : 0) + (IsFieldValue(text) ? 1 : 0);
    EXPECT_EQ(parser.head().fields.size(), 1 + legal) << out;
  }
}

TEST(BoundaryTest, EveryByteInADetailGivesALegalAnswer) {
  for (const std::string& text : AllBytes()) {
    std::string out;
    AppendOwnAnswer({.status = 502, .proxy_status_error = text, .rule = text, .detail = text}, SystemTime{},
                    &out);
    ResponseParser parser(CodecLimits{});
    parser.Reset("GET");
    std::vector<std::string_view> body;
    const ParseStep step = parser.Parse(out, &body);
    EXPECT_TRUE(step.complete && step.consumed == out.size()) << out;
    EXPECT_EQ(parser.head().fields.size(), 5) << out;
  }
}

TEST(BoundaryTest, TokensAndFieldValuesAreWhatRfc9110Says) {
  std::string token_bytes;
  std::string value_bytes;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string("a") + static_cast<char>(byte) + "a";
    if (IsToken(text)) token_bytes.push_back(static_cast<char>(byte));
    if (IsFieldValue(text)) value_bytes.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(token_bytes, "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
  EXPECT_EQ(value_bytes.size(), 1 + (0x7f - 0x20) + 128);
  // Long names are judged many bytes at a time: the same everywhere.
  for (int byte = 0; byte < 256; ++byte) {
    const bool legal = IsToken(std::string(1, static_cast<char>(byte)));
    for (size_t at = 0; at < 40; ++at) {
      std::string text(40, 'n');
      text[at] = static_cast<char>(byte);
      EXPECT_EQ(IsToken(text), legal) << byte << " at " << at;
    }
  }
  EXPECT_FALSE(IsToken(""));
  EXPECT_TRUE(IsFieldValue(""));
  EXPECT_FALSE(IsFieldValue(" a"));
  EXPECT_FALSE(IsFieldValue("a\t"));
}

TEST(BoundaryTest, HostsAreHosts) {
  for (const std::string_view host :
       {"a", "a.b-c_d~e", "a:1", "a:", "1.2.3.4", "xn--e1a.example", "a%2fb", "[::]", "[::1]", "[1::]",
        "[1:2:3:4:5:6:7:8]:9", "[1::8]", "[::ffff:1.2.3.4]"}) {
    EXPECT_TRUE(IsHost(host)) << host;
  }
  for (const std::string_view host : {"",
                                      ":1",
                                      "a b",
                                      "a,b",
                                      "a;b",
                                      "a@b",
                                      "a/b",
                                      "a:b",
                                      "a:123456",
                                      "[",
                                      "[]",
                                      "[:]",
                                      "[1]",
                                      "[:::]",
                                      "[1:2:3:4:5:6:7:8:9]",
                                      "[1:2:3:4:5:6:7::8]",
                                      "[12345::]",
                                      "[::1.2.3]",
                                      "[::1.2.3.256]",
                                      "[::1%25eth0]",
                                      "[v1.a]",
                                      "[::1]a",
                                      "[1:2:3:4:5:6:7:8",
                                      ":::1"}) {
    EXPECT_FALSE(IsHost(host)) << host;
  }
}

TEST(BoundaryTest, ChunkHeadersAreHex) {
  std::string out;
  AppendChunkHeader(0x1aF, &out);
  AppendChunkHeader(1, &out);
  EXPECT_EQ(out, "1af\r\n1\r\n");
}

}  // namespace
}  // namespace apiquota::http
