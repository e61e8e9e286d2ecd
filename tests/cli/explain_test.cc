#include "cli/explain.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/curl_output.h"
#include "tests/cli/fake_clock.h"

namespace apiquota::cli {
namespace {

const FakeClock kClock(SystemTime(std::chrono::seconds(1'718'236'800)));  // 2024-06-13T00:00:00Z

struct Outcome {
  int code;
  std::string out;
  std::string err;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << outcome.code << "\n" << outcome.out << "\n" << outcome.err;
}

Outcome Explained(const std::string& input, const ExplainOptions& options = {}) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = RunExplain(options, kClock, in, out, err);
  return {code, out.str(), err.str()};
}

TEST(ExplainTest, TheJsonIsTheContract) {
  ExplainOptions options;
  options.exporter = "openai";
  options.format = "json";
  const std::string input =
      "HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Limit-Requests: 60\r\nX-RateLimit-Remaining-Requests: "
      "0\r\n"
      "X-RateLimit-Reset-Requests: 1m1s\r\nRetry-After: 1\r\nX-RateLimit-Foo: 7\r\n\r\n";
  EXPECT_EQ(Explained(input, options), (Outcome{0, R"({
  "exporter": "openai",
  "status": 429,
  "throttle": {
    "scope": "primary",
    "signal": "status"
  },
  "retry_after_seconds": 1.0,
  "quotas": [
    {
      "resource": "",
      "quota": "requests",
      "unit": "requests",
      "kind": "bucket",
      "limit": 60,
      "remaining": 0,
      "used": 60,
      "window_seconds": 61,
      "reset_at": 1718236861.0,
      "policy": null,
      "derived": [
        "used",
        "window"
      ]
    }
  ],
  "unread": [
    {
      "header": "x-ratelimit-foo",
      "reason": "not described by the exporter"
    }
  ]
}
)",
                                                ""}));
}

TEST(ExplainTest, TheTextIsAlignedAndSaysWhatWasIgnored) {
  ExplainOptions options;
  options.exporter = "openai";
  const std::string input =
      "HTTP/2 429\nx-ratelimit-limit-requests: 200\nx-ratelimit-remaining-requests: 10\n"
      "x-ratelimit-reset-requests: 20m52.666s\nx-ratelimit-limit-tokens: "
      "40000\nx-ratelimit-remaining-tokens: 40000\n"
      "x-ratelimit-reset-tokens: 0s\nx-ratelimit-limit-images: 5\nretry-after: 12\nx-ratelimit-foo: 7\n"
      "x-ratelimit-limit-audio: many\n\n";
  EXPECT_EQ(
      Explained(input, options),
      (Outcome{
          0,
          "openai: status 429, throttled (primary limit, by status), retry after 12 s\n"
          "  images    [                    ]       limit 5 images\n"
          "  requests  [###################.]  95%  10 of 200 requests left     full in 20m53s  (per "
          "21m59s; computed: used, window)\n"
          "  tokens    [....................]   0%  40000 of 40000 tokens left  full in 0 s     (computed: "
          "used)\n"
          "ignored:\n"
          "  x-ratelimit-foo: not described by the exporter\n"
          "  x-ratelimit-limit-audio: not a number\n",
          ""}));
}

TEST(ExplainTest, ColourIsForTerminalsOnly) {
  ExplainOptions options;
  const std::string input = "HTTP/1.1 429\nx-ratelimit-limit: 100\nx-ratelimit-remaining: 5\n\n";
  EXPECT_EQ(Explained(input, options).out.find('\x1b'), std::string::npos);
  options.colour = true;
  EXPECT_NE(Explained(input, options).out.find("\x1b[31m###################.\x1b[0m"), std::string::npos);
}

TEST(ExplainTest, NothingAboutLimitsIsThree) {
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
            (Outcome{3, "generic: status 200\n  says nothing about limits\n", ""}));
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\nRetry-After: 30\n\n"),
            (Outcome{3, "generic: status 200, retry after 30 s\n  says nothing about limits\n", ""}));
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\nX-RateLimit-Limit: -1\n\n"),
            (Outcome{3,
                     "generic: status 200\n  says nothing about limits\nignored:\n"
                     "  x-ratelimit-limit: negative: a sentinel, not a quantity\n",
                     ""}));
}

TEST(ExplainTest, UnreadableInputIsTwoAndOneSentence) {
  const std::string expected =
      "apiquota explain: expected what `curl -i` prints, beginning with a status line such as \"HTTP/1.1 200 "
      "OK\"\n";
  for (const std::string input : {"", "\n\n", "hello", "x-ratelimit-limit: 5\n", "HTTP/1.1 20 OK\n",
                                  "HTTP/4 200\n", "HTTP/1.1 2000\n", "HTTP/1.1200 OK\n"}) {
    EXPECT_EQ(Explained(input), (Outcome{2, "", expected})) << input;
  }
}

TEST(ExplainTest, BadOptionsAreTwo) {
  const std::string input = "HTTP/1.1 200\n\n";
  const auto error = [&](auto change) {
    ExplainOptions options;
    change(&options);
    const Outcome outcome = Explained(input, options);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(error([](auto* o) { o->exporter = "opnai"; }),
            "apiquota explain: unknown exporter \"opnai\"; did you mean \"openai\"?\n");
  EXPECT_EQ(error([](auto* o) { o->format = "xml"; }),
            "apiquota explain: --format: expected text or json, found \"xml\"\n");
  EXPECT_EQ(error([](auto* o) { o->now = "soon"; }),
            "apiquota explain: --now: expected a time such as 2025-06-23T10:26:56Z or 1750674416, found "
            "\"soon\"\n");
  EXPECT_EQ(error([](auto* o) { o->request_url = "api.github.com"; }),
            "apiquota explain: --request-url: expected a URL such as https://api.github.com/user, found "
            "\"api.github.com\"\n");
  EXPECT_EQ(error([](auto* o) { o->file = "/nowhere/at/all.http"; }),
            "apiquota explain: cannot read /nowhere/at/all.http: No such file or directory\n");
}

TEST(ExplainTest, NowIsTheOptionElseTheDateElseTheClock) {
  const auto reset_at = [](const std::string& date, const std::string& now) {
    ExplainOptions options;
    options.format = "json";
    options.now = now;
    const std::string out =
        Explained("HTTP/1.1 200\n" + date + "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 10\n\n", options)
            .out;
    const size_t at = out.find("\"reset_at\": ") + 12;
    return out.substr(at, out.find(',', at) - at);
  };
  const std::string date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\n";
  EXPECT_EQ(reset_at("", ""), "1718236810.0");
  EXPECT_EQ(reset_at(date, ""), "784111787.0");
  EXPECT_EQ(reset_at(date, "1994-11-06T08:49:40Z"), "784111790.0");
  EXPECT_EQ(reset_at(date, "784111780.5"), "784111790.5");
}

TEST(ExplainTest, HostAndPathOfTheRequestCount) {
  ExplainOptions options;
  options.format = "json";
  options.request_url = "HTTPS://user:secret@API.GitHub.com:443/graphql?token=x";
  const std::string out = Explained("HTTP/1.1 200\nx-ratelimit-limit: 5000\n\n", options).out;
  EXPECT_NE(out.find("\"exporter\": \"github\""), std::string::npos);
  EXPECT_NE(out.find("\"resource\": \"graphql\""), std::string::npos);
  EXPECT_EQ(out.find("secret"), std::string::npos);
}

TEST(CurlOutputTest, TheLastOfSeveralBlocksCounts) {
  const auto last = ParseCurlOutput(
      "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 301 Moved\r\nContent-Length: 5\r\nX: "
      "1\r\n\r\nmovedHTTP/2 "
      "429 \r\nY: 2\r\nLong: a,\r\n  b\r\n\r\nHTTP is a protocol\nHTTP/1.1 200 OK\n");
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->status, 429);
  EXPECT_EQ(last->fields.size(), 2u);
  EXPECT_EQ(last->fields.Find("y"), "2");
  EXPECT_EQ(last->fields.Find("long"), "a, b");
  EXPECT_EQ(last->body, "HTTP is a protocol\nHTTP/1.1 200 OK\n");
}

TEST(CurlOutputTest, EveryVersionAndCaseIsRead) {
  for (const auto* line :
       {"HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/2 200 ", "HTTP/3 200", "http/1.1 200 ok"}) {
    const auto response = ParseCurlOutput(line);
    ASSERT_TRUE(response.has_value()) << line;
    EXPECT_EQ(response->status, 200);
  }
}

}  // namespace
}  // namespace apiquota::cli
