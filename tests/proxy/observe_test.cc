// What relayed exchanges leave behind in the ledger and the counters.
#include "base/text.h"
#include "tests/http/content_codings.h"
#include "tests/metrics/collected.h"
#include "tests/proxy/proxy_kit.h"

namespace apiquota::proxy {
namespace {

class ObserveTest : public ProxyTest {
 protected:
  // Relays one exchange of the api `demo` (exporter openai) whose upstream answers with `response`.
  void Relay(const std::string& response, const std::string& request = std::string(kGet)) {
    FakeUpstream upstream([&](Peer& peer) {
      peer.ReadHead();
      if (request.starts_with("POST")) peer.ReadUntil("}");
      peer.Send(response);
      peer.ReadAll();
    });
    Start({Demo(upstream)});
    Peer client = Connect();
    client.Send(request);
    const size_t end = response.find("\r\n\r\n") + 4;
    client.ReadHead();
    client.Read(response.size() - end);
    client.Close();
    proxy_->Drain();
    proxy_.reset();
  }

  // "resource quota limit remaining" of every quota the ledger holds.
  std::vector<std::string> Quotas() {
    std::vector<std::string> out;
    for (const quota::QuotaView& view : ledger_.Read(RealClock().SystemNow()).quotas) {
      out.push_back(view.id.resource + " " + view.id.key + " " + view.id.quota + " " +
                    FormatNumber(view.limit.value_or(-1)) + " " + FormatNumber(view.remaining.value_or(-1)));
    }
    return out;
  }

  static std::string Response(const std::string& status, const std::string& fields,
                              const std::string& body = {}) {
    return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
};

constexpr char kLimits[] =
    "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 59\r\nx-ratelimit-reset-requests: "
    "1s\r\n";

TEST_F(ObserveTest, HeadersOfAResponseBecomeReadings) {
  Relay(Response("200 OK", kLimits));
  EXPECT_EQ(Quotas(), (std::vector<std::string>{" anonymous requests 60 59"}));
}

TEST_F(ObserveTest, TheModelInTheRequestBodyIsTheResource) {
  const std::string body = R"({"messages":[],"model":"gpt-5"})";
  Relay(Response("200 OK", kLimits), "POST /demo/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                                         std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(Quotas(), (std::vector<std::string>{"gpt-5 anonymous requests 60 59"}));
}

TEST_F(ObserveTest, AThrottleIsCountedWithItsRetryAfter) {
  Relay(
      Response("429 Too Many Requests", "Retry-After: 2\r\n", R"({"error":{"code":"rate_limit_exceeded"}})"));
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous   primary status", 1}}));
  EXPECT_EQ(Counts("apiquota_retry_after_seconds"), (CountMap{{"demo", 1}}));
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"demo 429", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_requests_total"), (CountMap{{"demo anonymous  GET 429 proxy", 1}}));
}

TEST_F(ObserveTest, TheBodyOfAnErrorRefinesTheThrottle) {
  Relay(Response("429 Too Many Requests", "", R"({"error":{"message":"…","code":"insufficient_quota"}})"));
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous   spend body", 1}}));
}

TEST_F(ObserveTest, CompressedBodiesAreRead) {
  const std::string body = R"({"error":{"message":"no","code":"insufficient_quota"}})";
  Relay(Response("429 Too Many Requests", "Content-Encoding: gzip\r\n", http::Gzipped(body)));
  Relay(Response("429 Too Many Requests", "Content-Encoding: br\r\n", http::Brotlied(body)));
  Relay(Response("429 Too Many Requests", "Content-Encoding: zstd\r\n", http::Zstandard(body)));
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous   spend body", 3}}));
  EXPECT_EQ(Counts("apiquota_parse_errors_total"), CountMap{});
}

TEST_F(ObserveTest, ABodyThatCantBeReadIsCountedAndTheStatusStands) {
  Relay(Response("429 Too Many Requests", "Content-Encoding: gzip\r\n", "not what it says"));
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous   primary status", 1}}));
  EXPECT_EQ(Counts("apiquota_parse_errors_total"), (CountMap{{"demo body", 1}}));
}

constexpr char kPost[] =
    "POST /demo/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n{\"model\":\"gpt-5\"}";

TEST_F(ObserveTest, TokensAreCountedByTypeAndModel) {
  const std::string body =
      R"({"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,)"
      R"("prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":0}}})";
  Relay(Response("200 OK", "Content-Type: application/json\r\n", body), kPost);
  Relay(Response("200 OK", "Content-Type: application/json\r\n", body), kPost);
  EXPECT_EQ(Counts("apiquota_tokens_total"), (CountMap{{"demo anonymous  gpt-5 cached_input reported", 128},
                                                       {"demo anonymous  gpt-5 input reported", 72},
                                                       {"demo anonymous  gpt-5 output reported", 80}}));
}

TEST_F(ObserveTest, AStreamTellsItsTokensAtTheEndAndItsHeadAtOnce) {
  const std::string events =
      "data: {\"choices\":[],\"usage\":null}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";
  Relay(Response("200 OK", std::string(kLimits) + "Content-Type: text/event-stream\r\n", events), kPost);
  EXPECT_EQ(Quotas(), (std::vector<std::string>{"gpt-5 anonymous requests 60 59"}));
  EXPECT_EQ(Counts("apiquota_tokens_total"), (CountMap{{"demo anonymous  gpt-5 input reported", 9},
                                                       {"demo anonymous  gpt-5 output reported", 4}}));
  EXPECT_EQ(Counts("apiquota_throttles_total"), CountMap{});
}

TEST_F(ObserveTest, AQuotaThatAStreamsEventsSayIsKnownWithoutItsHead) {
  const std::string events =
      "data: {\"rate_limits\":[{\"name\":\"requests\",\"limit\":60,\"remaining\":59}]}\n\n"
      "data: {\"rate_limits\":[{\"name\":\"requests\",\"limit\":60,\"remaining\":41}]}\n\n";
  Relay(Response("200 OK", "Content-Type: text/event-stream\r\n", events),
        "GET /demo/v1/realtime HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(Quotas(), (std::vector<std::string>{" anonymous requests 60 41"}));
}

TEST_F(ObserveTest, AnErrorInAStreamIsAThrottle) {
  const std::string events =
      "data: {\"choices\":[]}\n\ndata: {\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":"
      "\"Rate limit reached. Please try again in 20s.\"}}\n\n";
  Relay(Response("200 OK", "Content-Type: text/event-stream\r\n", events), kPost);
  EXPECT_EQ(Counts("apiquota_throttles_total"), (CountMap{{"demo anonymous  gpt-5 primary stream", 1}}));
  EXPECT_EQ(Counts("apiquota_retry_after_seconds"), (CountMap{{"demo", 1}}));
}

TEST_F(ObserveTest, RejectedCredentialsAreCountedUnlessTheyAreThrottles) {
  Relay(Response("401 Unauthorized", ""));
  EXPECT_EQ(Counts("apiquota_auth_failures_total"), (CountMap{{"demo anonymous", 1}}));
  EXPECT_EQ(Counts("apiquota_throttles_total"), CountMap{});
}

TEST_F(ObserveTest, FieldsThatDontParseAreCountedAndTheClientNeverNotices) {
  Relay(Response("200 OK", "x-ratelimit-limit-requests: many\r\nx-ratelimit-remaining-requests: 3\r\n"));
  EXPECT_EQ(Counts("apiquota_parse_errors_total"), (CountMap{{"demo limit", 1}}));
  EXPECT_EQ(Counts("apiquota_proxy_requests_total"), (CountMap{{"demo 200", 1}}));
}

TEST_F(ObserveTest, TimesAreObservedOncePerExchange) {
  Relay(Response("200 OK", ""));
  EXPECT_EQ(Counts("apiquota_overhead_seconds"), (CountMap{{"demo request", 1}, {"demo response", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_first_byte_seconds"), (CountMap{{"demo", 1}}));
  EXPECT_EQ(Counts("apiquota_upstream_duration_seconds"), (CountMap{{"demo", 1}}));
}

TEST_F(ObserveTest, WhatTheConfigurationMakesKnownIsThereAtZero) {
  FakeUpstream upstream([](Peer&) {});
  apis::ApiOptions api = Demo(upstream);
  api.keys.push_back({.name = "ci", .value = Secret("sk-ci"), .account = {}});
  const auto routes = Routes({api}, {{.name = "nightly", .token = Secret("t"), .apis = {}}});
  routes->ShowConfigured();
  std::vector<std::string> children;
  for (const auto& family : metrics::Collected(registry_)) {
    if (family.name != "apiquota_upstream_requests_total" && family.name != "apiquota_proxy_requests_total")
      continue;
    for (const auto& metric : family.metric) {
      EXPECT_EQ(metric.counter.value, 0);
      std::string child;
      for (const auto& label : metric.label) child += label.value + " ";
      children.push_back(child);
    }
  }
  EXPECT_EQ(children, (std::vector<std::string>{"demo 200 ", "demo 429 ", "demo ci  GET 200 proxy ",
                                                "demo ci  GET 429 proxy "}));
}

TEST_F(ObserveTest, FingerprintsBeyondAHundredShareOneName) {
  FakeUpstream upstream([](Peer& peer) {
    while (!peer.ReadHead().empty()) peer.Send(kOk);
  });
  Start({Demo(upstream)});
  Peer client = Connect();
  for (int i = 0; i < 110; ++i) {
    client.Send("GET /demo/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k" + std::to_string(i) +
                "\r\n\r\n");
    ASSERT_EQ(client.Read(kOk.size()), kOk);
  }
  proxy_->Drain();
  const CountMap counts = Counts("apiquota_upstream_requests_total");
  EXPECT_EQ(counts.size(), 101U);
  EXPECT_EQ(counts.at("demo other  GET 200 proxy"), 10);
}

}  // namespace
}  // namespace apiquota::proxy
