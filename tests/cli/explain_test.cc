#include "cli/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/explain_kit.h"
#include "tests/http/content_codings.h"

namespace apiquota::cli {
namespace {

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
  const std::string input =
      "HTTP/2 429\nx-ratelimit-limit-requests: 200\nx-ratelimit-remaining-requests: 10\n"
      "x-ratelimit-reset-requests: 20m52.666s\nx-ratelimit-limit-tokens: 40000\n"
      "x-ratelimit-remaining-tokens: 40000\nx-ratelimit-reset-tokens: 0s\nx-ratelimit-limit-images: 5\n"
      "retry-after: 12\nx-ratelimit-foo: 7\nx-ratelimit-limit-audio: many\n\n";
  EXPECT_EQ(Explained(input, {.exporter = "openai"}),
            (Outcome{0,
                     "OpenAI (openai): 429 Too Many Requests\n"
                     "throttled: a quota is used up (primary, by the status); retry after 12 s\n"
                     "  images    [                    ]       limit 5 images\n"
                     "  requests  [###################.]  95%  10 of 200 requests left       full in 20m53s  "
                     "per ~21m59s\n"
                     "  tokens    [....................]   0%  40,000 of 40,000 tokens left  full now\n"
                     "ignored:\n"
                     "  x-ratelimit-foo          not described by the exporter\n"
                     "  x-ratelimit-limit-audio  not a number\n",
                     ""}));
}

TEST(ExplainTest, TheTextSaysHowTheApiWasRecognised) {
  const auto first_line = [](const std::string& fields, const std::string& url) {
    const std::string out = Explained("HTTP/1.1 200 OK\n" + fields + "\n", {.request_url = url}).out;
    return out.substr(0, out.find('\n'));
  };
  EXPECT_EQ(first_line("x-ratelimit-limit: 5000\n", "https://api.github.com/user"),
            "GitHub (github): 200 OK, recognised by its host api.github.com");
  EXPECT_EQ(first_line("x-ratelimit-limit: 5000\nx-github-request-id: 1\n", ""),
            "GitHub (github): 200 OK, recognised by its headers");
  EXPECT_EQ(first_line("x-ratelimit-limit: 5000\n", ""), "Any API with rate-limit headers (generic): 200 OK");
}

TEST(ExplainTest, SharesSpansAndPoliciesAreWordedForPeople) {
  const std::string input =
      "HTTP/1.1 529\nanthropic-ratelimit-unified-5h-utilization: 0.425\n"
      "anthropic-ratelimit-unified-5h-reset: 1718243990\nanthropic-ratelimit-unified-7d-utilization: 0.8\n"
      "anthropic-ratelimit-unified-7d-reset: 1718236795\n\n";
  EXPECT_EQ(Explained(input, {.exporter = "anthropic"}).out,
            "Anthropic (anthropic): 529\n"
            "throttled: the API is overloaded; your quotas are not the reason (overload, by the status)\n"
            "  unified-5h  [#########...........]  43%  57.5 % left  resets in 1h59m  per 5h\n"
            "  unified-7d  [################....]  80%  20 % left    reset 5 s ago    per 7d\n");
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\nRateLimit-Policy: \"burst\";q=1234567;w=172800\n"
                      "RateLimit: \"burst\";r=1234567;t=0\n\n",
                      {.exporter = "generic"})
                .out,
            "Any API with rate-limit headers (generic): 200 OK\n"
            "  burst  [....................]   0%  1,234,567 of 1,234,567 requests left  resets now  per 2d  "
            "policy burst\n");
}

TEST(ExplainTest, ColourIsForTerminalsOnly) {
  const std::string input =
      "HTTP/1.1 429\nx-ratelimit-limit: 100\nx-ratelimit-remaining: 5\nx-ratelimit-foo: 1\n\n";
  EXPECT_EQ(Explained(input).out.find('\x1b'), std::string::npos);
  EXPECT_EQ(Explained(input, {.colour = true}).out,
            "\x1b[1mAny API with rate-limit headers (generic)\x1b[0m: 429 Too Many Requests\n"
            "\x1b[31mthrottled\x1b[0m: a quota is used up (primary, by the status)\n"
            "  requests  [\x1b[31m###################.\x1b[0m]  95%  5 of 100 requests left\n"
            "\x1b[2mignored:\n  x-ratelimit-foo  not described by the exporter\n\x1b[0m");
}

TEST(ExplainTest, NothingAboutLimitsIsThree) {
  const std::string head = "Any API with rate-limit headers (generic): 200 OK\n";
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
            (Outcome{3, head + "  says nothing about limits\n", ""}));
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\nRetry-After: 30\n\n"),
            (Outcome{3, head + "not throttled, but: retry after 30 s\n  says nothing about limits\n", ""}));
  EXPECT_EQ(Explained("HTTP/1.1 200 OK\nX-RateLimit-Limit: -1\n\n"),
            (Outcome{3,
                     head + "  says nothing about limits\nignored:\n"
                            "  x-ratelimit-limit  negative: a sentinel, not a quantity\n",
                     ""}));
}

TEST(ExplainTest, UnreadableInputIsTwoAndOneSentence) {
  const std::string expected =
      "expected what `curl -i`, `curl -v`, `wget -S` or `http --print=hb` prints, with a status line such as "
      "\"HTTP/1.1 200 OK\"; a recording; or a HAR file\n";
  for (const std::string input : {"hello", "x-ratelimit-limit: 5\n", "HTTP/1.1 20 OK\n", "HTTP/4 200\n",
                                  "HTTP/1.1 2000\n", "HTTP/1.1200 OK\n", "> GET / HTTP/1.1\n"}) {
    EXPECT_EQ(Explained(input), (Outcome{2, "", "apiquota explain: " + expected})) << input;
  }
  for (const std::string input : {"", "\n\n"}) {
    EXPECT_EQ(Explained(input), (Outcome{2, "", "apiquota explain: the input is empty: " + expected}));
  }
  for (const std::string input : {"{\"error\": 1}", "[1]\n", "\n<html>\n", "< Date: x\n"}) {
    EXPECT_EQ(Explained(input),
              (Outcome{2, "", "apiquota explain: the input has a body and no head: " + expected}));
  }
  EXPECT_EQ(Explained("GET / HTTP/1.1\nHost: a\n\n"),
            (Outcome{2, "", "apiquota explain: the input has a request and no response: " + expected}));
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
            "apiquota explain: unknown exporter; did you mean \"openai\"?\n");
  EXPECT_EQ(error([](auto* o) { o->format = "xml"; }), "apiquota explain: --format: expected text or json\n");
  EXPECT_EQ(error([](auto* o) { o->now = "soon"; }),
            "apiquota explain: --now: expected a time such as 2025-06-23T10:26:56Z or 1750674416\n");
  EXPECT_EQ(error([](auto* o) { o->request_url = "api.github.com"; }),
            "apiquota explain: --request-url: expected a URL such as https://api.github.com/user\n");
  for (const std::string url :
       {"https://", "https:///path", "https://[::1", "https://a b/", "https://a\n/"}) {
    EXPECT_EQ(error([&](auto* o) { o->request_url = url; }),
              "apiquota explain: --request-url: expected a host's name behind https://\n");
  }
  EXPECT_EQ(error([](auto* o) { o->file = "/nowhere/at/all.http"; }),
            "apiquota explain: cannot read the file: No such file or directory\n");
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

TEST(ExplainTest, AnOriginTellsTheHostAndNoPath) {
  ExplainOptions options;
  options.format = "json";
  const std::string input = "HTTP/1.1 200 OK\n\n{\"resources\":{\"core\":{\"limit\":60,\"remaining\":59}}}";
  options.request_url = "https://api.github.com/";
  EXPECT_NE(Explained(input, options).out.find("\"remaining\": 59"), std::string::npos);
  options.request_url = "https://api.github.com/user";
  EXPECT_EQ(Explained(input, options).code, 3);
}

TEST(ExplainTest, ARequestThatIsShownTellsHostPathAndModel) {
  ExplainOptions options;
  options.format = "json";
  const std::string response = "HTTP/1.1 200 OK\nx-ratelimit-limit-requests: 60\n\n";
  const std::string request =
      "POST /v1/chat/completions HTTP/1.1\nHost: api.openai.com\n\n{\"model\": \"gpt-4o\"}\n\n\n";
  const std::string out = Explained(request + response, options).out;
  EXPECT_NE(out.find("\"exporter\": \"openai\""), std::string::npos) << out;
  EXPECT_NE(out.find("\"resource\": \"gpt-4o\""), std::string::npos) << out;
  options.request_url = "https://api.github.com/graphql";
  EXPECT_NE(Explained(request + response, options).out.find("\"exporter\": \"github\""), std::string::npos);
}

// The throttle as "scope signal" and the wait.
std::string Refusal(const std::string& input) {
  ExplainOptions options;
  options.exporter = "openai";
  options.format = "json";
  const auto said = nlohmann::json::parse(Explained(input, options).out);
  if (said["throttle"].is_null()) return "none";
  return said["throttle"]["scope"].get<std::string>() + " " + said["throttle"]["signal"].get<std::string>() +
         " " + said["retry_after_seconds"].dump();
}

TEST(ExplainTest, BodiesAreReadAsTheAgentReadsThem) {
  const std::string body = R"({"error":{"code":"insufficient_quota","message":"Please try again in 6m0s."}})";
  const std::string head = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n";
  EXPECT_EQ(Refusal(head + "\r\n" + body), "spend body 360.0");
  // Raw as it came, and as curl --compressed prints it.
  EXPECT_EQ(Refusal(head + "Content-Encoding: gzip\r\n\r\n" + http::Gzipped(body)), "spend body 360.0");
  EXPECT_EQ(Refusal(head + "Content-Encoding: zstd\r\n\r\n" + http::Zstandard(body)), "spend body 360.0");
  EXPECT_EQ(Refusal(head + "Content-Encoding: br\r\n\r\n" + body), "spend body 360.0");
}

TEST(ExplainTest, TokensThatTheReplyCostAreTold) {
  ExplainOptions options;
  options.exporter = "openai";
  const std::string input =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
      R"({"usage":{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens":9}})";
  EXPECT_EQ(Explained(input, options).out,
            "OpenAI (openai): 200 OK\n"
            "  says nothing about limits\n"
            "  tokens: 36 input, 64 cached_input, 9 output\n");
  options.format = "json";
  EXPECT_EQ(nlohmann::json::parse(Explained(input, options).out)["usage"],
            (nlohmann::json{{"input", 36}, {"cached_input", 64}, {"output", 9}}));
}

TEST(ExplainTest, AnErrorInAnEventStreamIsAThrottle) {
  EXPECT_EQ(
      Refusal("HTTP/2 200\ncontent-type: text/event-stream\n\ndata: {\"choices\":[]}\n\n"
              "data: {\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"try again in 20s.\"}}\n\n"),
      "primary stream 20.0");
}

}  // namespace
}  // namespace apiquota::cli
