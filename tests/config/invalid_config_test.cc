#include <filesystem>
#include <set>

#include "tests/config/fixture.h"

namespace apiquota::config {
namespace {

using InvalidConfigTest = LoadConfigTest;

struct Invalid {
  const char* name;       // testdata/invalid-<name>.yaml
  const char* complaint;  // after the file's name
};

constexpr Invalid kInvalid[] = {
    {"unknown-top-key", ":1:1: unknown key \"prxy\"; did you mean \"proxy\"?"},
    {"later-key-shared",
     ":1:1: unknown key; known here: admin, proxy, poller, ledger, metrics, guard, apis, callers, state, "
     "key_salt_file"},
    {"misspelt-required-key", ":3:5: unknown key \"exporer\"; did you mean \"exporter\"?"},
    {"duplicate-key", ":3:3: duplicate key"},
    {"not-yaml", ":2:1: not YAML: end of map flow not found"},
    {"section-not-a-map", ":1:8: expected a map, found text"},
    {"apis-not-a-list", ":1:7: expected a list, found a map"},
    {"bad-duration", ":2:20: expected a duration such as 60s, 1m30s or 250ms"},
    {"duration-too-short", ":2:20: expected a duration from 1ms to 1d"},
    {"duration-too-long", ":1:24: expected a duration from 1ms to 31d"},
    {"bad-count", ":1:22: expected a whole number from 1 to 1000000"},
    {"count-out-of-range", ":1:18: expected a whole number from 2 to 64"},
    {"buffers-crossed",
     ":1:8: buffer_low_bytes is 16384 and buffer_high_bytes 16384; expected the first to be lower"},
    {"target-longer-than-head",
     ":1:8: target_bytes_max is 16384 and head_bytes_max 2048; expected the target to fit the head"},
    {"listen-without-port",
     ":1:17: expected an address such as 127.0.0.1:9429, [::1]:9429, :9429 (all interfaces) or "
     "unix:/run/apiquota.sock"},
    {"listen-host-name",
     ":1:17: expected an address such as 127.0.0.1:9429, [::1]:9429, :9429 (all interfaces) or "
     "unix:/run/apiquota.sock"},
    {"listen-port-too-high",
     ":1:17: expected an address such as 127.0.0.1:9429, [::1]:9429, :9429 (all interfaces) or "
     "unix:/run/apiquota.sock"},
    {"host-with-port", ":1:32: expected a host name without a port, such as agent.example.com"},
    {"ca-file-missing", ":1:24: cannot read the file named here: No such file or directory"},
    {"name-missing", ":2:5: \"name\" is missing here"},
    {"name-charset",
     ":2:12: expected a name of at most 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or "
     "digit"},
    {"name-reserved",
     ":2:12: the name \"other\" has a meaning of its own in the metrics; expected another one"},
    {"name-twice", ":3:5: a second api of this name"},
    {"route-own", ":2:40: /- is the agent's own part of the proxy's addresses; expected another route"},
    {"route-twice", ":3:5: another api has the same route; expected one of its own for each"},
    {"host-of-api",
     ":3:66: expected a name under .localhost, such as openai.localhost, or one of proxy.hosts"},
    {"host-of-api-localhost",
     ":2:41: expected a name under .localhost, such as openai.localhost, or one of proxy.hosts"},
    {"host-of-api-taken", ":3:5: another api has the same host; expected hosts of its own for each"},
    {"host-of-api-twice", ":2:5: a host is named twice"},
    {"timeouts-of-api", ":4:28: expected a duration from 1ms to 1d"},
    {"route-trailing-slash", ":2:40: expected a route such as /openai, without a slash at its end"},
    {"route-dot-segment", ":2:40: expected a route such as /openai, without a slash at its end"},
    {"exporter-misspelt", ":2:25: unknown exporter; did you mean \"openai\"?"},
    {"exporter-unknown",
     ":2:25: unknown exporter; expected one of anthropic, azure-openai, github, mapbox, openai"},
    {"exporter-without-base-url",
     ":2:5: \"base_url\" is missing here: exporter \"azure-openai\" has none of its own, because every "
     "customer has another"},
    {"base-url", ":2:43: base URL: expected http:// or https://"},
    {"label-name",
     ":4:25: expected as the label's name letters, digits and \"_\", the first no digit, not beginning with "
     "\"__\""},
    {"label-reserved",
     ":4:19: label \"job\" is one of the agent's or Prometheus' own; expected another name"},
    {"label-value-list", ":4:20: expected text, found a list"},
    {"key-without-secret", ":5:9: \"value_from_env\" or \"value_from_file\" is missing here"},
    {"key-with-two-secrets", ":5:69: expected either value_from_env or value_from_file, not both"},
    {"key-with-value",
     ":5:20: unknown key; known here: name, account, inject, value_from_env, value_from_file"},
    {"key-name-reserved",
     ":5:16: the name \"anonymous\" has a meaning of its own in the metrics; expected another one"},
    {"key-name-twice", ":6:9: a second key of this name"},
    {"key-value-twice", ":6:9: another key of this api holds the same credential; expected one name for it"},
    {"key-inject-way", ":5:60: expected one of default"},
    {"two-defaults", ":6:9: a second key with inject: default"},
    {"env-unset", ":5:36: the environment variable named here is not set; expected it to hold a credential"},
    {"env-empty", ":5:36: the environment variable named here is empty; expected it to hold a credential"},
    {"env-two-lines",
     ":5:36: the environment variable named here holds bytes that no header can carry; expected one line of "
     "visible ASCII"},
    {"env-holds-the-credential",
     ":5:36: the environment variable named here is not set; expected it to hold a credential"},
    {"secret-file-missing", ":5:37: cannot read the file named here: No such file or directory"},
    {"secret-file-empty", ":5:37: the file named here is empty; expected it to hold a credential"},
    {"secret-file-two-lines",
     ":5:37: the file named here is no credential; expected one line of visible ASCII, at most 16 KiB"},
    {"secret-file-directory", ":5:37: cannot read the file named here: Is a directory"},
    {"inject-beyond-loopback",
     ":3:5: a key of this api is injected while the proxy listens on 0.0.0.0:4290 and nobody has to show a "
     "token; "
     "expected \"callers\", or a loopback address"},
    {"caller-without-token", ":2:5: \"token_from_env\" or \"token_from_file\" is missing here"},
    {"caller-env-unset",
     ":2:35: the environment variable named here is not set; expected it to hold a credential"},
    {"caller-name-twice", ":3:5: a second caller of this name"},
    {"caller-token-twice", ":3:5: another caller has the same token; expected one of its own for each"},
    {"caller-api-misspelt", ":5:56: expected the name of an api under \"apis\""},
    {"caller-api-unknown", ":5:56: expected the name of an api under \"apis\""},
    {"caller-api-without-key",
     ":5:56: this api has no key with inject: default that a caller's token could stand for"},
    {"caller-apis-empty", ":5:55: expected at least one api; leave the key out for all"},
    {"state-path-empty", ":1:15: expected a path"},
    {"poll-unknown-key", ":4:12: unknown key \"evry\"; did you mean \"every\"?"},
    {"poll-too-often", ":4:19: expected a duration from 1s to 1d"},
    {"poll-jitter", ":4:20: expected a share from 0% to 50%"},
    {"poll-method", ":4:20: expected one of GET, HEAD"},
    {"poll-path", ":4:18: expected a path under the base URL, such as /v1/models"},
    {"poll-path-missing",
     ":5:11: \"path\" is missing here: exporter \"azure-openai\" knows no endpoint to poll"},
    {"limit-without-window", ":4:14: \"window\" is missing here"},
    {"limit-window", ":4:51: expected a duration from 1s to 31d"},
    {"limit-zero", ":4:39: expected a whole number from 1 to 1000000000000"},
    {"limit-twice", ":6:9: a second limit of this quota"},
    {"poller-count", ":1:24: expected a whole number from 1 to 1000"},
    {"alias-undefined", ":1:7: not YAML: the referenced anchor is not defined"},
    {"inject-without-header",
     ":5:60: exporter \"mapbox\" knows no header for a credential: a key can't be injected"},
    {"caller-token-short", ":2:5: the token is shorter than 8 bytes; expected one that nobody guesses"},
    {"guard-later-key",
     ":1:19: unknown key; known here: mode, pace, queue, retry, cooldown, cold_concurrency, concurrency, "
     "breaker, cache, limits, exempt, shadow"},
    {"guard-misspelt", ":1:9: unknown key \"mod\"; did you mean \"mode\"?"},
    {"guard-mode", ":1:8: expected one of off, shadow, on"},
    {"guard-mode-misspelt", ":1:15: expected one of off, shadow, on; did you mean \"shadow\"?"},
    {"guard-list", ":1:8: expected a map, found a list"},
    {"guard-part-mode", ":1:23: expected one of off, shadow, on"},
    {"guard-headroom", ":1:26: expected an amount such as 5, or a share from 0% to 90%"},
    {"guard-headroom-share", ":1:26: expected a share from 0% to 90%"},
    {"guard-spread", ":1:24: expected a share from 0% to 100%"},
    {"guard-queue-size", ":1:23: expected a whole number from 0 to 100000"},
    {"guard-queue-by", ":1:21: expected one of caller, key"},
    {"guard-max-wait", ":1:27: expected a duration from 1ms to 1h"},
    {"guard-deadline-header", ":1:34: expected the name of a header, such as X-Request-Timeout"},
    {"guard-trust-priority", ":1:33: expected true or false"},
    {"guard-attempts", ":1:27: expected a whole number from 1 to 10"},
    {"guard-budget", ":1:25: expected a share from 0% to 100%"},
    {"guard-size", ":1:35: expected a size such as 65536, 64KiB or 1MiB"},
    {"guard-size-too-large", ":1:35: expected a size from 0 to 16MiB"},
    {"guard-sizes-crossed",
     ":1:16: replay_bytes_max is 8MiB and replay_memory_max 4MiB; expected one body to fit all memory"},
    {"guard-probe-every", ":1:33: expected a duration from 1s to 1d"},
    {"guard-cold", ":1:27: expected a whole number from 1 to 10000"},
    {"guard-shadow-on", ":1:24: expected one of off, shadow"},
    {"guard-shadow-of-shadow",
     ":1:18: unknown key; known here: mode, pace, queue, retry, cooldown, cold_concurrency, concurrency, "
     "breaker, cache, limits, exempt"},
    {"guard-shadow-word", ":1:17: expected a map, found text"},
    {"guard-part-word", ":1:16: expected one of off, shadow, on"},
    {"guard-idempotency-path",
     ":1:39: expected a path as it is sent upstream, without a query, such as /v1/embeddings; /v1/* for all "
     "that begin so"},
    {"guard-idempotency-twice", ":1:44: this path stands here twice"},
    {"guard-concurrency-on", ":1:22: expected max: how many requests of a key may be under way at a time"},
    {"guard-concurrency-adaptive",
     ":1:22: expected max: how many requests of a key may be under way at a time"},
    {"guard-concurrency-max", ":1:28: expected a whole number from 1 to 100000"},
    {"guard-breaker-ratio", ":1:26: expected a share from 1% to 100%"},
    {"guard-breaker-open", ":1:18: open is 3m and open_max 2m; expected the first not to be longer"},
    {"guard-breaker-key", ":1:19: unknown key \"error\"; did you mean \"errors\"?"},
    {"guard-cache-size", ":1:23: expected a size from 64KiB to 16GiB"},
    {"guard-cache-ttl", ":1:52: expected a duration from 1s to 31d"},
    {"guard-cache-post-twice", ":1:45: this path stands here twice"},
    {"guard-cache-post-query",
     ":1:31: expected a path as it is sent upstream, without a query, such as /v1/embeddings; /v1/* for all "
     "that begin so"},
    {"guard-exempt-star",
     ":1:18: expected a path as it is sent upstream, without a query, such as /v1/embeddings; /v1/* for all "
     "that begin so"},
    {"guard-limit-nameless", ":1:18: \"name\" is missing here"},
    {"guard-limit-zero", ":1:35: expected a whole number from 1 to 1000000000000"},
    {"guard-limit-window-zero", ":1:46: expected a duration from 1s to 31d"},
    {"guard-limit-window-long", ":1:46: expected a duration from 1s to 31d"},
    {"guard-limit-burst-fixed", ":1:57: only algorithm: gcra has a burst"},
    {"guard-limit-burst-large", ":1:74: expected at most the limit, which is 9"},
    {"guard-limit-algorithm", ":1:61: expected one of fixed, sliding, gcra"},
    {"guard-limit-by", ":1:55: expected one of caller, key, address; did you mean \"address\"?"},
    {"guard-limit-by-header", ":1:55: expected {header: NAME} for a header's value"},
    {"guard-limit-by-header-name", ":1:63: expected the name of a header, such as X-Tenant"},
    {"guard-limit-by-twice", ":1:60: this stands here twice"},
    {"guard-limit-by-nobody",
     ":1:54: there are no \"callers\" to count apart; expected some in this file, or another word"},
    {"guard-limit-missing", ":1:59: it is for requests that lack a part of \"by\", which is not here"},
    {"guard-limit-caller", ":2:68: expected the name of one of \"callers\""},
    {"guard-limit-method", ":1:68: expected a method in capitals, such as POST"},
    {"guard-limit-methods-none", ":1:67: expected at least one; leave the key out for all"},
    {"guard-limit-path",
     ":1:64: expected a path as it is sent upstream, without a query, such as /v1/embeddings; /v1/* for all "
     "that begin so"},
    {"guard-limit-header-value",
     ":1:78: expected the value that the header must have: visible ASCII, at most 256 bytes"},
    {"guard-limit-header-key", ":1:75: expected as its name that of a header, such as X-Tenant"},
    {"guard-limit-of-name-all", ":1:51: a second limit of this name with the same match"},
    {"guard-limit-of-name-same", ":1:70: a second limit of this name with the same match"},
    {"guard-limit-of-name-covered",
     ":4:7: this limit never counts: an earlier one of its name is for all its requests; expected the "
     "narrower one "
     "first, or another name"},
    {"guard-limit-of-name-by",
     ":1:51: another limit of this name differs in by or unit; expected another name"},
    {"guard-limit-of-name-unit",
     ":1:51: another limit of this name differs in by or unit; expected another name"},
    {"trusted-proxies",
     ":1:37: expected an IP address such as 10.0.0.7, or a network such as 10.0.0.0/8 or fd00::/8"},
    {"guard-of-api",
     ":4:13: unknown key; known here: mode, pace, queue, retry, cooldown, cold_concurrency, concurrency, "
     "breaker, cache, limits, exempt, shadow"},
    {"caller-priority", ":2:55: expected a whole number from 0 to 7"},
    {"alias", ":1:8: anchors and aliases are not read here; write the value out"},
};

TEST_F(InvalidConfigTest, EveryMistakeHasItsSentence) {
  for (const Invalid& invalid : kInvalid) {
    const std::string file = std::string("invalid-") + invalid.name + ".yaml";
    EXPECT_EQ(Complaint(file), file + invalid.complaint);
  }
}

TEST_F(InvalidConfigTest, EveryInvalidFileIsInTheTable) {
  std::set<std::string> files;
  std::set<std::string> listed;
  for (const auto& entry : std::filesystem::directory_iterator(".")) {
    if (entry.path().filename().string().starts_with("invalid-")) files.insert(entry.path().filename());
  }
  for (const Invalid& invalid : kInvalid) listed.insert(std::string("invalid-") + invalid.name + ".yaml");
  EXPECT_EQ(files, listed);
}

TEST_F(InvalidConfigTest, NoMessageHoldsACredential) {
  for (const Invalid& invalid : kInvalid) {
    const std::string complaint = Complaint(std::string("invalid-") + invalid.name + ".yaml");
    for (const char* secret : {"sk-", "ghp_", "caller token", "one\n"}) {
      EXPECT_EQ(complaint.find(secret), std::string::npos) << complaint;
    }
  }
}

}  // namespace
}  // namespace apiquota::config
