#include "cli/command_line.h"

#include <gtest/gtest.h>

namespace apiquota::cli {
namespace {

Result<Command> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "apiquota");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data(), "apiquota 1.2.3");
}

template <class Wanted>
Wanted Parsed(std::vector<const char*> arguments) {
  const Result<Command> command = Parse(std::move(arguments));
  EXPECT_TRUE(command) << (command ? "" : command.error().message);
  if (!command || !std::holds_alternative<Wanted>(*command)) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return std::get<Wanted>(*command);
}

std::string Complaint(std::vector<const char*> arguments) {
  const Result<Command> command = Parse(std::move(arguments));
  return command ? "none" : command.error().message;
}

TEST(CommandLineTest, ServeTakesEveryFlag) {
  const auto serve = Parsed<app::ServeOptions>(
      {"serve", "--config.file", "a.yaml", "--web.listen-address=[::1]:1", "--proxy.listen-address", ":2",
       "--exporters.dir=x", "--log.level=debug", "--log.format", "json", "--log.access",
       "--web.enable-lifecycle", "--api", "a=github@http://a", "--api=b=github@http://b",
       "--web.config.file=w.yml", "--proxy.config.file", "p.yml", "--guard=shadow"});
  EXPECT_EQ(serve.config_file, "a.yaml");
  EXPECT_EQ(serve.admin_listen, (net::ListenAddress{"::1", 1}));
  EXPECT_EQ(serve.proxy_listen, (net::ListenAddress{"", 2}));
  EXPECT_EQ(serve.admin_web_config, "w.yml");
  EXPECT_EQ(serve.proxy_web_config, "p.yml");
  EXPECT_EQ(serve.exporters_dir, "x");
  EXPECT_EQ(serve.log_level, LogLevel::kDebug);
  EXPECT_EQ(serve.guard, guard::Mode::kShadow);
  EXPECT_EQ(serve.log_format, LogFormat::kJson);
  EXPECT_TRUE(serve.log_access);
  EXPECT_TRUE(serve.enable_lifecycle);
  EXPECT_EQ(serve.apis, (std::vector<std::string>{"a=github@http://a", "b=github@http://b"}));
}

TEST(CommandLineTest, ServeHasDefaults) {
  const auto serve = Parsed<app::ServeOptions>({"serve"});
  EXPECT_EQ(serve.config_file, "");
  EXPECT_EQ(serve.admin_listen, std::nullopt);
  EXPECT_EQ(serve.proxy_listen, std::nullopt);
  EXPECT_FALSE(serve.enable_lifecycle);
  EXPECT_EQ(serve.guard, guard::Mode::kOff);
  EXPECT_EQ(serve.log_level, LogLevel::kInfo);
  EXPECT_EQ(serve.log_format, LogFormat::kLogfmt);
  EXPECT_FALSE(serve.log_access);
  EXPECT_TRUE(serve.apis.empty());
}

TEST(CommandLineTest, TheOtherCommandsTakeTheirs) {
  const auto check = Parsed<CheckConfigCommand>({"check-config", "a.yaml", "b.yaml", "--exporters.dir", "x"});
  EXPECT_EQ(check.files, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_EQ(check.exporters_dir, "x");

  const auto explain = Parsed<ExplainOptions>({"explain", "--exporter", "github", "--request-url=https://x/y",
                                               "--now", "1750674416", "--format", "json", "answer.http"});
  EXPECT_EQ(explain.exporter, "github");
  EXPECT_EQ(explain.request_url, "https://x/y");
  EXPECT_EQ(explain.now, "1750674416");
  EXPECT_EQ(explain.format, "json");
  EXPECT_EQ(explain.file, "answer.http");

  const auto simulate = Parsed<SimulateCommand>(
      {"simulate",   "--exporter",     "openai",  "--listen", "127.0.0.1:5", "--quota",
       "requests=3", "--quota=tokens", "--limit", "7",        "--window",    "2m",
       "--cost=2",   "--resource",     "m",       "--path",   "/v1",         "--latency",
       "5ms",        "--identity",     "--sse",   "--chunks", "3",           "--chunk-interval",
       "10ms"});
  EXPECT_EQ(simulate.exporter, "openai");
  const simulate::SimulateOptions& options = simulate.options;
  EXPECT_EQ(options.listen, (net::ListenAddress{"127.0.0.1", 5}));
  EXPECT_EQ(options.quotas, (std::vector<std::string>{"requests=3", "tokens"}));
  EXPECT_EQ(options.limit, 7);
  EXPECT_EQ(options.window, std::chrono::minutes(2));
  EXPECT_EQ(options.cost, 2);
  EXPECT_EQ(options.resource, "m");
  EXPECT_EQ(options.path, "/v1");
  EXPECT_EQ(options.latency, std::chrono::milliseconds(5));
  EXPECT_TRUE(options.identity && options.sse);
  EXPECT_EQ(options.chunks, 3);
  EXPECT_EQ(options.chunk_interval, std::chrono::milliseconds(10));
}

TEST(CommandLineTest, ASimulationsLimitsAndFaultsAreRead) {
  const simulate::SimulateOptions options = Parsed<SimulateCommand>({"simulate",
                                                                     "--exporter",
                                                                     "openai",
                                                                     "--kind",
                                                                     "sliding",
                                                                     "--burst",
                                                                     "5",
                                                                     "--scope",
                                                                     "address",
                                                                     "--sub-limit",
                                                                     "1s",
                                                                     "--count-refused",
                                                                     "--skew",
                                                                     "-5s",
                                                                     "--penalty=10s",
                                                                     "--headerless",
                                                                     "--round-reset",
                                                                     "down",
                                                                     "--fail=503:5%",
                                                                     "--fail",
                                                                     "500:1%",
                                                                     "--tokens-charged",
                                                                     "end",
                                                                     "--output-share",
                                                                     "25%",
                                                                     "--retry-after=1h",
                                                                     "--round-remaining",
                                                                     "1000",
                                                                     "--bare-429",
                                                                     "10%"})
                                                .options;
  EXPECT_EQ(options.kind, simulate::LimitKind::kSliding);
  EXPECT_EQ(options.burst, 5);
  EXPECT_EQ(options.scope, simulate::LimitScope::kAddress);
  EXPECT_EQ(options.sub_limit, std::chrono::seconds(1));
  EXPECT_TRUE(options.count_refused);
  EXPECT_EQ(options.penalty, std::chrono::seconds(10));
  EXPECT_EQ(options.manner, (simulate::Manner{.skew = std::chrono::seconds(-5),
                                              .remaining_step = 1000,
                                              .resets = simulate::ResetRounding::kDown,
                                              .headerless = true}));
  EXPECT_EQ(options.failures, (std::vector<std::string>{"503:5%", "500:1%"}));
  EXPECT_EQ(options.tokens_charged, simulate::Charge::kEnd);
  EXPECT_EQ(options.output_share, 0.25);
  EXPECT_EQ(options.retry_after, std::chrono::hours(1));
  EXPECT_EQ(options.bare_429, 0.1);
}

TEST(CommandLineTest, RecordTakesItsOwn) {
  const auto record = Parsed<RecordOptions>(
      {"record", "github", "https://x/y", "-H", "X-A: 1", "--key-from-env=KEY", "--method=HEAD",
       "--timeout=5s", "--case=core", "--source", "inferred here", "--out=d", "--force", "--exporters.dir=e",
       "--input=f", "--entry=3", "--request-url=https://x/z"});
  EXPECT_EQ(record.exporter, "github");
  EXPECT_EQ(record.url, "https://x/y");
  EXPECT_EQ(record.headers, std::vector<std::string>{"X-A: 1"});
  EXPECT_EQ(record.key_from_env, "KEY");
  EXPECT_EQ(record.method, "HEAD");
  EXPECT_EQ(record.timeout, std::chrono::seconds(5));
  EXPECT_EQ(record.name, "core");
  EXPECT_EQ(record.source, "inferred here");
  EXPECT_EQ(record.folder, "d");
  EXPECT_TRUE(record.force);
  EXPECT_EQ(record.exporters_dir, "e");
  EXPECT_EQ(record.file, "f");
  EXPECT_EQ(record.entry, 3u);
  EXPECT_EQ(record.request_url, "https://x/z");
  EXPECT_EQ(Complaint({"record"}), "NAME is required");
  EXPECT_EQ(Complaint({"explain", "--entry=0"}), "--entry: expected an entry's number, from 1");
}

TEST(CommandLineTest, ProbeAndHealthcheckTakeTheirs) {
  const auto probe = Parsed<ProbeOptions>({"probe", "github", "https://x/y", "--config.file=a.yaml", "-H",
                                           "X-A: 1", "-HX-B: 2", "--key-from-env", "KEY", "--method=HEAD",
                                           "--timeout=5s", "--format=json", "--exporter=generic"});
  EXPECT_EQ(probe.targets, (std::vector<std::string>{"github", "https://x/y"}));
  EXPECT_EQ(probe.config_file, "a.yaml");
  EXPECT_EQ(probe.headers, (std::vector<std::string>{"X-A: 1", "X-B: 2"}));
  EXPECT_EQ(probe.key_from_env, "KEY");
  EXPECT_EQ(probe.method, "HEAD");
  EXPECT_EQ(probe.timeout, std::chrono::seconds(5));
  EXPECT_EQ(probe.format, "json");
  EXPECT_EQ(probe.exporter, "generic");
  EXPECT_NE(Complaint({"probe"}), "none");

  const auto healthcheck =
      Parsed<HealthcheckOptions>({"healthcheck", "--web.listen-address=:9", "--url=http://x/"});
  EXPECT_EQ(healthcheck.admin, (net::ListenAddress{"", 9}));
  EXPECT_EQ(healthcheck.url, "http://x/");
}

TEST(CommandLineTest, VersionAndHelpAreText) {
  EXPECT_EQ(Parsed<ShowText>({"--version"}).text, "apiquota 1.2.3\n");
  EXPECT_NE(Parsed<ShowText>({"--help"}).text.find("check-config"), std::string::npos);
  EXPECT_NE(Parsed<ShowText>({"serve", "--help"}).text.find("Usage: apiquota serve [OPTIONS]"),
            std::string::npos);
}

TEST(CommandLineTest, MistakesAreOneSentence) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{}, "expected a command; see apiquota --help"},
      {{"srve"}, "unknown command \"srve\"; did you mean \"serve\"?"},
      {{"--nope"}, "unknown flag; see apiquota --help"},
      {{"serve", "--proxy.listen-adress=:1"},
       "unknown flag \"--proxy.listen-adress\"; did you mean \"--proxy.listen-address\"?"},
      {{"serve", "a.yaml"}, "unknown argument; see apiquota serve --help"},
      {{"serve", "--log.level", "loud"}, "--log.level: expected one of debug, info, warn, error"},
      {{"serve", "--guard=yes"}, "--guard: expected one of off, shadow, on"},
      {{"serve", "--log.format=xml"}, "--log.format: expected one of logfmt, json"},
      {{"serve", "--web.listen-address", "9429"},
       "--web.listen-address: expected an address such as 127.0.0.1:9429, [::1]:9429, :9429 (all "
       "interfaces) or unix:/run/apiquota.sock"},
      {{"serve", "--config.file"}, "--config.file: 1 required FILE missing"},
      {{"check-config"}, "FILE is required"},
      {{"simulate"}, "--exporter is required"},
      {{"simulate", "--exporter=x", "--window", "soon"},
       "--window: expected a duration such as 60s, 1m30s or 250ms"},
      {{"simulate", "--exporter=x", "--kind", "leaky"},
       "--kind: expected one of fixed, aligned, sliding, elastic, bucket, concurrency"},
      {{"simulate", "--exporter=x", "--scope=me"}, "--scope: expected one of all, key, address"},
      {{"simulate", "--exporter=x", "--tokens-charged=now"},
       "--tokens-charged: expected one of start, settled, end"},
      {{"simulate", "--exporter=x", "--round-reset=off"}, "--round-reset: expected one of up, down, nearest"},
      {{"simulate", "--exporter=x", "--skew=5"}, "--skew: expected a duration such as 5s or -5s"},
      {{"simulate", "--exporter=x", "--bare-429=0.2"}, "--bare-429: expected a share such as 20%"},
  };
  for (const auto& [arguments, complaint] : cases) EXPECT_EQ(Complaint(arguments), complaint);
}

}  // namespace
}  // namespace apiquota::cli
