#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/config/fixture.h"

namespace apiquota::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(LoadConfigTest, EveryKeyArrivesInItsOption) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->admin, (net::AdminOptions{{"::1", 9429}, {"agent.example"}, false, 4, seconds(2)}));

  const proxy::ProxyOptions& proxy = loaded->proxy;
  EXPECT_EQ(proxy.listen, (net::ListenAddress{"", 4290}));
  EXPECT_EQ(proxy.hosts, std::vector<std::string>{"proxy.example"});
  EXPECT_EQ(proxy.tls.ca_file, "secret.txt");
  EXPECT_EQ(proxy.loops, 2);
  const std::vector<size_t> sizes = {
      proxy.head_bytes_max,   proxy.fields_max,  proxy.target_bytes_max,         proxy.buffer_high_bytes,
      proxy.buffer_low_bytes, proxy.clients_max, proxy.upstream_connections_max, proxy.upstream_queue_max};
  EXPECT_EQ(sizes, (std::vector<size_t>{32768, 100, 8192, 131072, 65536, 500, 50, 0}));
  const std::vector<Micros> times = {
      proxy.head_timeout,  proxy.client_idle_timeout, proxy.body_idle_timeout,     proxy.connect_timeout,
      proxy.tls_timeout,   proxy.first_byte_timeout,  proxy.upstream_idle_timeout, proxy.pool_idle_timeout,
      proxy.drain_timeout, proxy.tunnel_idle_timeout};
  EXPECT_EQ(times, (std::vector<Micros>{seconds(1), seconds(2), seconds(3), seconds(4), seconds(5),
                                        minutes(6), minutes(7), seconds(8), seconds(90), minutes(9)}));

  EXPECT_EQ(loaded->poller, (poll::PollerOptions{7, seconds(1), seconds(2), 4096, 8192}));
  EXPECT_EQ(loaded->ledger.expire_after, minutes(5));
  EXPECT_EQ(loaded->ledger.quotas_max, 100u);
  EXPECT_EQ(loaded->ledger.resources_per_key_max, 8u);
  EXPECT_EQ(loaded->ledger.quotas_per_resource_max, 9u);
  EXPECT_EQ(loaded->ledger.keys_per_api_max, 10u);
  EXPECT_EQ(loaded->metrics.series_max, 50'000u);
  EXPECT_EQ(loaded->state_file, "/var/lib/apiquota/state.json");
  EXPECT_EQ(loaded->key_salt_file, "salt");
  EXPECT_FALSE(loaded->default_apis);
}

TEST_F(LoadConfigTest, ApisKeysAndCallersArriveWhole) {
  const Result<Config> loaded = LoadConfigFile("full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->apis.size(), 2u);
  const apis::ApiOptions& openai = loaded->apis[0];
  EXPECT_EQ(openai.name, "openai-prod");
  EXPECT_EQ(openai.exporter, "openai");
  EXPECT_EQ(openai.base_url, "");
  EXPECT_FALSE(openai.base_url_by_operator);
  EXPECT_EQ(openai.route, "/openai");
  EXPECT_EQ(openai.hosts, (std::vector<std::string>{"openai.localhost", "proxy.example"}));
  EXPECT_EQ(openai.timeouts,
            (apis::TimeoutOptions{seconds(1), seconds(2), std::chrono::hours(1), std::chrono::minutes(3)}));
  EXPECT_FALSE(openai.rewrite_links);
  EXPECT_EQ(openai.labels, (std::map<std::string, std::string>{{"team", "research"}}));
  ASSERT_EQ(openai.keys.size(), 2u);
  EXPECT_EQ(openai.keys[0].name, "ci");
  EXPECT_EQ(openai.keys[0].value.Reveal(), "sk-from-env");
  EXPECT_EQ(openai.keys[0].account, "acme");
  EXPECT_TRUE(openai.keys[0].inject_default);
  EXPECT_EQ(openai.keys[1].name, "dev");
  EXPECT_EQ(openai.keys[1].value.Reveal(), "sk-from-file") << "without the line's end";
  EXPECT_EQ(openai.keys[1].account, "");
  EXPECT_FALSE(openai.keys[1].inject_default);

  EXPECT_EQ(openai.poll, (apis::PollOptions{seconds(30), 0.25, "HEAD", "/v1/me"}));
  EXPECT_EQ(openai.limits, (std::vector<quota::DeclaredLimit>{{"requests", 60, seconds(60)},
                                                              {"daily", 1000, std::chrono::hours(24)}}));

  const apis::ApiOptions& azure = loaded->apis[1];
  EXPECT_EQ(azure.poll, std::nullopt) << "the agent asks nothing by itself";
  EXPECT_TRUE(azure.limits.empty());
  EXPECT_TRUE(azure.rewrite_links);
  EXPECT_EQ(azure.base_url, "https://acme.openai.azure.com");
  EXPECT_TRUE(azure.base_url_by_operator);
  EXPECT_EQ(azure.route, "/azure") << "the name, unless said";
  EXPECT_TRUE(azure.hosts.empty());
  EXPECT_EQ(azure.timeouts, apis::TimeoutOptions{}) << "the proxy's";

  ASSERT_EQ(loaded->callers.size(), 2u);
  EXPECT_EQ(loaded->callers[0].name, "nightly-batch");
  EXPECT_EQ(loaded->callers[0].token.Reveal(), "caller token");
  EXPECT_EQ(loaded->callers[0].apis, std::vector<std::string>{"openai-prod"});
  EXPECT_TRUE(loaded->callers[1].apis.empty());
}

TEST_F(LoadConfigTest, WhatIsNotSaidKeepsItsDefault) {
  const Result<Config> loaded = LoadConfig("admin: {}\n", "f.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->admin, net::AdminOptions{});
  EXPECT_EQ(loaded->proxy.listen, (net::ListenAddress{"127.0.0.1", 4290}));
  EXPECT_EQ(loaded->proxy.first_byte_timeout, minutes(10));
  EXPECT_EQ(loaded->state_file, "");
  EXPECT_EQ(loaded->key_salt_file, "");
  EXPECT_TRUE(loaded->default_apis);
}

// The keys of a file, wherever they stand.
std::set<std::string> Keys(const std::string& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::set<std::string> keys;
  for (size_t colon = text.find(": "); colon != std::string::npos; colon = text.find(": ", colon + 1)) {
    const size_t begin = text.find_last_not_of("abcdefghijklmnopqrstuvwxyz_", colon - 1) + 1;
    if (begin < colon) keys.insert(text.substr(begin, colon - begin));
  }
  return keys;
}

TEST_F(LoadConfigTest, TheReferenceFileLoadsAndNamesEveryKey) {
  setenv("NIGHTLY_BATCH_TOKEN", "nightly-token", 1);
  const std::string reference = SourceDir() + "/docs/apiquota.example.yaml";
  const Result<Config> loaded = LoadConfigFile(reference, Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->admin, net::AdminOptions{}) << "what is shown is the default";
  EXPECT_EQ(loaded->guard, guard::Options{});
  const std::set<std::string> shown = Keys(reference);
  for (const std::string& key : Keys("full.yaml")) EXPECT_TRUE(shown.contains(key)) << key;
}

TEST_F(LoadConfigTest, AFileWithoutAnyValueMeansTheDefaults) {
  for (const std::string text : {"", "\n", "# nothing but a comment\n", "---\n", "---\n# nor here\n...\n",
                                 "admin:\nproxy:\n  # listen: 127.0.0.1:9430\npoller:\nstate:\n"}) {
    const Result<Config> loaded = LoadConfig(text, "f.yaml", Context());
    ASSERT_TRUE(loaded) << text << loaded.error().message;
    EXPECT_TRUE(loaded->default_apis);
    EXPECT_EQ(loaded->proxy, proxy::ProxyOptions{});
  }
}

TEST_F(LoadConfigTest, OneApiMayHaveEveryPath) {
  const Result<Config> loaded = LoadConfig("apis: [{name: a, exporter: openai, route: /}]", "f", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->apis[0].route, "/");
}

TEST_F(LoadConfigTest, RelativePathsStartFromTheFilesDirectory) {
  std::filesystem::current_path("..");
  const Result<Config> loaded = LoadConfigFile("testdata/full.yaml", Context());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->key_salt_file, "testdata/salt");
  EXPECT_EQ(loaded->state_file, "/var/lib/apiquota/state.json");
  EXPECT_EQ(loaded->apis[0].keys[1].value.Reveal(), "sk-from-file");
}

TEST_F(LoadConfigTest, InjectionIsJudgedByTheAddressThatWins) {
  const std::string text =
      "apis:\n  - {name: a, exporter: openai, keys: [{name: ci, value_from_env: OPENAI_API_KEY, inject: "
      "default}]}\n";
  LoadContext context = Context();
  EXPECT_TRUE(LoadConfig(text, "f.yaml", context));
  context.proxy_listen = net::ListenAddress{"::", 1};
  const Result<Config> open = LoadConfig(text, "f.yaml", context);
  ASSERT_FALSE(open);
  EXPECT_EQ(
      open.error().message,
      "f.yaml:2:5: a key of this api is injected while the proxy listens on [::]:1 and nobody has to show a "
      "token; "
      "expected \"callers\", or a loopback address");
  EXPECT_TRUE(LoadConfig(text + "callers: [{name: c, token_from_env: CALLER_TOKEN}]\n", "f.yaml", context));
  context.proxy_listen = net::ListenAddress{"127.0.0.1", 1};
  EXPECT_TRUE(LoadConfig("proxy: {listen: \":1\"}\n" + text, "f.yaml", context));
}

TEST_F(LoadConfigTest, AFileThatCannotBeReadIsSaidSo) {
  EXPECT_EQ(Complaint("no-such.yaml"), "cannot read the configuration: No such file or directory");
  EXPECT_EQ(Complaint("."), "cannot read the configuration: Is a directory");
}

}  // namespace
}  // namespace apiquota::config
