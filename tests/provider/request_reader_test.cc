#include "provider/request_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "provider/label.h"
#include "tests/http/content_codings.h"

namespace apiquota::provider {
namespace {

const PointerSet kModel({"/model"});
const PointerSet kPointers({"/model", "/a/b"});

struct Request {
  std::string type = "application/json";
  std::string coding = {};
  std::string body = {};
};

struct Found {
  std::string model;
  bool failed = false;
};

// Whole, byte by byte and in odd pieces must find the same.
Found Read(const Request& request) {
  Found found;
  bool first = true;
  for (const size_t piece : {std::max<size_t>(request.body.size(), 1), size_t{1}, size_t{7}}) {
    http::Fields fields;
    if (!request.type.empty()) fields.Add("Content-Type", request.type);
    if (!request.coding.empty()) fields.Add("Content-Encoding", request.coding);
    RequestReader reader(kPointers, fields);
    for (size_t at = 0; at < request.body.size(); at += piece)
      reader.Write(std::string_view(request.body).substr(at, piece));
    std::string model = "none";
    for (const http::BodyValue& value : reader.TakeValues()) {
      if (value.pointer == "/model") model = value.value;
    }
    if (!first) {
      EXPECT_EQ(model, found.model) << piece;
      EXPECT_EQ(reader.Failed(), found.failed) << piece;
    }
    first = false;
    found = {model, reader.Failed()};
  }
  return found;
}

constexpr char kJson[] = R"({"model":"gpt-5","input":"hello"})";

TEST(RequestReaderTest, ACodingDoesNotHideTheModel) {
  EXPECT_EQ(Read({.body = kJson}).model, "gpt-5");
  const std::pair<std::string, std::string> encoded[] = {{"gzip", http::Gzipped(kJson)},
                                                         {"br", http::Brotlied(kJson)},
                                                         {"zstd", http::Zstandard(kJson)},
                                                         {"identity", kJson}};
  for (const auto& [coding, body] : encoded) {
    const Found found = Read({.coding = coding, .body = body});
    EXPECT_EQ(found.model, "gpt-5") << coding;
    EXPECT_FALSE(found.failed) << coding;
  }
}

TEST(RequestReaderTest, WhatShouldHaveBeenReadableAndWasNotIsAFailure) {
  EXPECT_TRUE(Read({.coding = "snappy", .body = kJson}).failed);
  EXPECT_TRUE(Read({.coding = "gzip", .body = kJson}).failed);
  EXPECT_TRUE(Read({.body = "{\"model\":]"}).failed);
  EXPECT_TRUE(Read({.type = "multipart/form-data", .body = "--b\r\n"}).failed) << "no boundary is said";
  EXPECT_FALSE(Read({.type = "audio/wav", .body = "RIFF"}).failed) << "no rule could expect JSON here";
  EXPECT_FALSE(Read({.body = "{}"}).failed) << "a request without a model";
}

TEST(RequestReaderTest, AByteOrderMarkDoesNotHideTheModel) {
  EXPECT_EQ(Read({.body = "\xef\xbb\xbf" + std::string(kJson)}).model, "gpt-5");
}

// What long conversations come as: their window is wider than is kept, and the model stands first.
TEST(RequestReaderTest, AWideWindowDoesNotHideAModelInFront) {
  std::string text;
  for (unsigned n = 1; text.size() < (1U << 20); n = n * 1103515245 + 12345) text += std::to_string(n);
  for (const std::string& body : {http::Zstandard(R"({"model":"gpt-5","input":")" + text + "\"}"),
                                  http::Zstandard(R"({"model":"gpt-5","input":")" + text + "\"}", 23)}) {
    http::Fields fields;
    fields.Add("Content-Encoding", "zstd");
    RequestReader reader(kModel, fields);
    for (size_t at = 0; at < body.size(); at += 16384) reader.Write(std::string_view(body).substr(at, 16384));
    EXPECT_FALSE(reader.Failed());
    ASSERT_TRUE(reader.Done());
    EXPECT_EQ(reader.TakeValues().at(0).value, "gpt-5");
  }
}

TEST(RequestReaderTest, ABombIsGivenUp) {
  const std::string bomb = http::Gzipped("{\"x\":\"" + std::string(8 << 20, 'a') + "\",\"model\":\"gpt-5\"}");
  const Found found = Read({.coding = "gzip", .body = bomb});
  EXPECT_EQ(found.model, "none");
  EXPECT_TRUE(found.failed);
}

TEST(RequestReaderTest, AModelBehindALargeFileIsFound) {
  const std::string image(9 << 20, 'x');
  http::Fields fields;
  RequestReader reader(kModel, fields);
  reader.Write("{\"image\":\"" + image + "\",\"model\":\"gpt-5\"}");
  EXPECT_TRUE(reader.Done());
  EXPECT_EQ(reader.TakeValues().at(0).value, "gpt-5");
}

std::string Form(const std::string& parts) {
  return "preamble\r\n--b0undary\r\nContent-Disposition: form-data; name=\"file\"; "
         "filename=\"a;name=model.wav\"\r\n"
         "Content-Type: audio/wav\r\n\r\nRI\rFF\r\n--b0undar\r\n--\r\r\n-\r\n" +
         parts + "--b0undary--\r\nepilogue";
}

TEST(RequestReaderTest, FieldsOfAFormAreRead) {
  const std::string type = "multipart/form-data; charset=utf-8; boundary=b0undary";
  const auto model = [&](const std::string& part) { return Read({.type = type, .body = Form(part)}); };
  EXPECT_EQ(model("--b0undary\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n").model,
            "whisper-1");
  EXPECT_EQ(
      model("--b0undary \r\ncontent-disposition:form-data;name=model\r\nX: y\r\n\r\nwhis\r\nper\r\n").model,
      "whis\r\nper");
  EXPECT_EQ(model("--b0undary\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\r\n").model, "");
  EXPECT_EQ(model("").model, "none");
  EXPECT_EQ(model("--b0undary\r\nContent-Disposition: form-data; name=\"model\"; filename=\"m\"\r\n\r\nw\r\n")
                .model,
            "none")
      << "a file";
  EXPECT_TRUE(model("--b0undary\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" +
                    std::string(2000, 'm') + "\r\n")
                  .failed);
  EXPECT_EQ(
      Read({.type = "Multipart/Form-Data; boundary=\"b0undary\"",
            .body = "--b0undary\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nw\r\n--b0undary--"})
          .model,
      "w");
}

TEST(RequestReaderTest, AnEndlessHeaderOfAPartIsGivenUp) {
  EXPECT_TRUE(Read({.type = "multipart/form-data; boundary=b", .body = "--b\r\nX: " + std::string(9000, 'y')})
                  .failed);
}

TEST(LabelTest, NamesInAnyScriptAreLabelsAndControlsAreNone) {
  for (const char* name : {"gpt-5", "文心一言", "modèle", "Ω"}) EXPECT_TRUE(FitForLabel(name)) << name;
  for (const char* name :
       {"", "a\nb", "\x7f", "\xc2\x85", "\xff", "\xe6\x96", "a\u202eb", "a\u2028b", "\u2066"})
    EXPECT_FALSE(FitForLabel(name)) << name;
  EXPECT_FALSE(FitForLabel(std::string(129, 'a')));
}

}  // namespace
}  // namespace apiquota::provider
