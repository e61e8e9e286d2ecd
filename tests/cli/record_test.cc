#include "cli/record.h"

#include <fmt/args.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/explain.h"
#include "tests/base/fake_clock.h"
#include "tests/source_dir.h"

namespace apiquota::cli {
namespace {

namespace fs = std::filesystem;

const FakeClock kClock(SystemTime(std::chrono::seconds(1'718'236'800)));  // 2024-06-13T00:00:00Z

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class RecordTest : public testing::Test {
 protected:
  RecordTest() : folder_(fs::path(testing::TempDir()) / fmt::format("record_test_{}", getpid())) {
    fs::remove_all(folder_);
  }
  ~RecordTest() override { fs::remove_all(folder_); }

  int Record(const std::string& input, RecordOptions options) {
    if (options.folder.empty()) options.folder = folder_.string();
    std::istringstream in(input);
    std::ostringstream out, err;
    const int code = RunRecord(options, kClock, in, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  fs::path folder_;
  std::string out_, err_;
};

TEST_F(RecordTest, WhatRulesReadStaysAndTheRestIsItsKind) {
  ASSERT_EQ(
      Record("HTTP/2 429\nserver: x\ncontent-type: application/json; charset=utf-8\n"
             "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 0\n"
             "x-ratelimit-reset-requests: 1m1s\nx-ratelimit-foo: 7\nx-request-id: r\nopenai-processing-ms: "
             "12\n\n"
             "{\"error\": {\"message\": \"For jo: Please try again in 20s. Bye\", \"type\": \"requests\", "
             "\"code\": \"rate_limit_exceeded\"}, \"id\": 5, \"list\": [1]}",
             {.exporter = "openai", .request_url = "https://api.openai.com/v1/chat/completions?key=x"}),
      0)
      << err_;
  EXPECT_EQ(
      ReadAll(folder_ / "throttled.http"),
      "# source: inferred from an answer of 2024-06-13\n"
      "# request: GET https://api.openai.com/v1/chat/completions\n"
      "HTTP/1.1 429\ndate: Thu, 13 Jun 2024 00:00:00 GMT\ncontent-type: application/json\n"
      "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 0\n"
      "x-ratelimit-reset-requests: 1m1s\nx-ratelimit-foo: 7\nopenai-processing-ms: 12\n\n"
      "{\"error\":{\"message\":\"try again in 20s\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"},"
      "\"id\":0,\"list\":[]}\n");
  std::istringstream in(ReadAll(folder_ / "throttled.http"));
  std::ostringstream out, err;
  RunExplain({.exporter = "openai", .format = "json"}, kClock, in, out, err);
  EXPECT_EQ(out.str(), ReadAll(folder_ / "throttled.json")) << "what explain says of it";
  EXPECT_EQ(out_.find("read otherwise"), std::string::npos);
}

// Each "{}" is a place where a secret may stand.
constexpr std::string_view kHostile = R"({{"log": {{"entries": [{{
  "request": {{"method": "POST", "url": "https://acme.{0}.example.com/v1/{1}/users/{2}?key={3}&model={4}",
    "headers": [{{"name": "Authorization", "value": "Bearer {5}"}}, {{"name": "Cookie", "value": "s={6}"}},
      {{"name": "X-Api-Key", "value": "{7}"}}, {{"name": "{8}", "value": "v"}}],
    "postData": {{"text": "{{\"model\": \"ft:gpt-4o:acme::{9}\", \"user\": \"{10}\"}}"}}}},
  "response": {{"status": 429, "headers": [
      {{"name": "Set-Cookie", "value": "s={11}; Path=/"}}, {{"name": "openai-organization", "value": "{12}"}},
      {{"name": "x-request-id", "value": "{13}"}},
      {{"name": "Content-Type", "value": "application/json; boundary={14}"}},
      {{"name": "x-ratelimit-{15}", "value": "{16}"}},
      {{"name": "x-ratelimit-limit-requests", "value": "{17}"}},
      {{"name": "x-ratelimit-limit-{18}", "value": "5"}}, {{"name": "date", "value": "{19}"}},
      {{"name": "retry-after", "value": "{20}"}}, {{"name": "age", "value": "{21}"}},
      {{"name": "ratelimit-policy", "value": "\"a\";q=1;pk=:{22}:"}}],
    "content": {{"text": "{{\"error\": {{\"message\": \"{23}: Please try again in 5s, {24}\",
      \"code\": \"{25}\",
      \"type\": \"{26}\", \"param\": \"{27}\", \"{28}\": 1, \"details\": [\"{29}\"]}},
      \"{30}\": {{\"{31}\": \"{32}\"}},
      \"email\": \"{33}@mail.example\"}}"}}}}}}]}}}})";

TEST_F(RecordTest, NoSecretReachesTheFilesOrTheTerminal) {
  for (const std::string shape : {"xK9canary{:02}Qz7Lm2Rt6", "CANARY-7f3b9a-{:02}", "sk-proj-canary{:02}"}) {
    std::vector<std::string> canaries;
    fmt::dynamic_format_arg_store<fmt::format_context> places;
    for (int i = 0; i < 34; ++i) canaries.push_back(fmt::format(fmt::runtime(shape), i));
    for (const std::string& canary : canaries) places.push_back(canary);
    std::string har = fmt::vformat(kHostile, places);
    std::erase(har, '\n');
    for (const std::string exporter :
         {"openai", "generic", "anthropic", "github", "google-gemini", "shopify"}) {
      ASSERT_NE(
          Record(har,
                 {.exporter = exporter, .name = exporter, .source = "inferred by a test", .force = true}),
          2)
          << err_;
      const std::string text =
          ReadAll(folder_ / (exporter + ".http")) + ReadAll(folder_ / (exporter + ".json")) + out_ + err_;
      EXPECT_NE(text.find("HTTP/1.1 429"), std::string::npos);
      for (const std::string& canary : canaries) EXPECT_EQ(text.find(canary), std::string::npos) << text;
      EXPECT_EQ(text.find("acme"), std::string::npos) << text;
    }
  }
}

TEST_F(RecordTest, ASecretThatIsAWordIsTakenOutWhereItIsRepeated) {
  ASSERT_EQ(
      Record("> GET /v1 HTTP/1.1\n> Host: api.openai.com\n> X-Api-Key: sword-fish\n>\n"
             "< HTTP/1.1 429 X\n< content-type: application/json\n< x-ratelimit-limit-sword-fish: 5\n<\n"
             "{\"error\": {\"code\": \"sword-fish\"}}\n",
             {.exporter = "openai"}),
      0)
      << err_;
  EXPECT_EQ(ReadAll(folder_ / "throttled.http").find("sword"), std::string::npos);
}

TEST_F(RecordTest, StreamsKeepTheEventsThatSaySomething) {
  ASSERT_NE(Record("# request: POST https://api.openai.com/v1/responses\nHTTP/2 200\ncontent-type: "
                   "text/event-stream\n\n"
                   "event: response.created\ndata: {\"type\": \"response.created\", \"text\": \"hello\"}\n\n"
                   "event: response.completed\ndata: {\"response\": {\"id\": \"r1\", \"usage\": "
                   "{\"input_tokens\": 7, \"output_tokens\": 3}}}\n\ndata: [DONE]\n\n",
                   {.exporter = "openai"}),
            2)
      << err_;
  const std::string text = ReadAll(folder_ / "ordinary.http");
  EXPECT_NE(text.find("\nevent: response.completed\ndata: {\"response\":{\"id\":\"redacted\",\"usage\":"
                      "{\"input_tokens\":7,\"output_tokens\":3}}}\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("hello"), std::string::npos);
}

TEST_F(RecordTest, NothingIsOverwrittenUnlessForced) {
  const std::string input =
      "# request: GET https://api.github.com/user\nHTTP/2 200\nx-ratelimit-limit: 60\n\n";
  ASSERT_EQ(Record(input, {.exporter = "github"}), 0) << err_;
  std::ofstream(folder_ / "ordinary.json") << "corrected by hand";
  EXPECT_EQ(Record(input, {.exporter = "github"}), 2);
  EXPECT_NE(err_.find("ordinary.http is there already: choose another --case, or --force"), std::string::npos)
      << err_;
  fs::remove(folder_ / "ordinary.http");
  EXPECT_EQ(Record(input, {.exporter = "github"}), 2);
  EXPECT_EQ(ReadAll(folder_ / "ordinary.json"), "corrected by hand");
  EXPECT_FALSE(fs::exists(folder_ / "ordinary.http")) << "half a recording";
  EXPECT_EQ(Record(input, {.exporter = "github", .force = true}), 0) << err_;
  EXPECT_NE(ReadAll(folder_ / "ordinary.json"), "corrected by hand");
}

TEST_F(RecordTest, WrongUseIsASentence) {
  const std::string answer = "HTTP/2 200\nx-ratelimit-limit: 60\n\n";
  const auto refused = [&](const std::string& input, const RecordOptions& options) {
    EXPECT_EQ(Record(input, options), 2);
    return err_.starts_with("apiquota record: ") ? err_.substr(17) : err_;
  };
  EXPECT_EQ(refused(answer, {.exporter = "github"}),
            "the input does not say what was asked for: say --request-url\n");
  EXPECT_EQ(refused(answer, {.exporter = "githb"}),
            "NAME: unknown exporter; did you mean \"github\"?; a new API needs its file first: "
            "exporters/NAME.yaml, and "
            "--exporters.dir exporters\n");
  EXPECT_EQ(
      refused(answer, {.exporter = "brand-new-thing"}),
      "NAME: unknown exporter; a new API needs its file first: exporters/NAME.yaml, and --exporters.dir "
      "exporters\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .request_url = "foo"}),
            "--request-url: expected a URL such as https://api.github.com/user\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .name = "../x"}),
            "--case: expected a name of lower-case letters, digits and -\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .source = "me"}),
            "--source: expected \"documented: https://…\" or \"inferred …\"\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .url = "api.github.com"}),
            "URL: expected one such as https://api.example.com/v1/models\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .url = "https://a.example", .file = "x"}),
            "expected a URL to ask, or an answer to read (--input, --entry, --request-url), not both\n");
  EXPECT_EQ(refused(answer, {.exporter = "github", .headers = {"a: b"}}),
            "-H and --key-from-env are for a URL that is asked\n");
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(RecordTest, OfSeveralEntriesOneIsChosen) {
  const auto entry = [](const std::string& path) {
    return "{\"request\":{\"method\":\"GET\",\"url\":\"https://api.github.com/" + path +
           "\"},\"response\":{\"status\":429,\"headers\":[]}}";
  };
  const std::string har = "[" + entry("a") + "," + entry("b") + "]";
  EXPECT_EQ(Record(har, {.exporter = "github"}), 2);
  EXPECT_EQ(err_, "apiquota record: entries 1, 2 of the HAR file speak of limits; choose one with --entry\n");
  EXPECT_EQ(Record(har, {.exporter = "github", .entry = 2}), 0) << err_;
  EXPECT_NE(ReadAll(folder_ / "throttled.http").find("GET https://api.github.com/b\n"), std::string::npos);
}

// What has been recorded once and is recorded again is read as before, unless an account is its name.
TEST_F(RecordTest, TheRecordingsThereAreKeepWhatTheySay) {
  for (const auto& file : fs::recursive_directory_iterator(fs::path(SourceDir()) / "tests/providers")) {
    if (file.path().extension() != ".http") continue;
    const std::string exporter = file.path().parent_path().filename();
    const std::string name = file.path().stem();
    ASSERT_NE(
        Record(
            "",
            {.exporter = exporter, .file = file.path().string(), .name = name, .folder = folder_ / exporter}),
        2)
        << file << err_;
    if (exporter == "meta-graph" && name.starts_with("business")) continue;
    EXPECT_EQ(out_.find("read otherwise"), std::string::npos) << file << out_;
  }
}

}  // namespace
}  // namespace apiquota::cli
