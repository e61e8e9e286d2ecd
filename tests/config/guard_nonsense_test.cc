// Whatever stands where a key of the guard's wants something else: the file loads, or says in one sentence
// what is wrong, where.
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/config/fixture.h"

namespace apiquota::config {
namespace {

using GuardNonsenseTest = LoadConfigTest;

// "@" is what is written.
constexpr const char* kKeys[] = {
    "guard: {limits: @}",
    "guard: {limits: [@]}",
    "guard: {limits: [{name: @, limit: 5, window: 1m}]}",
    "guard: {limits: [{name: a, limit: @, window: 1m}]}",
    "guard: {limits: [{name: a, limit: 5, window: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, by: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, by: [@]}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, by: [{header: @}]}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, by: key, missing: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, unit: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, mode: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, algorithm: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, algorithm: gcra, burst: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: @}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: {path: @}}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: {methods: @}}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: {callers: @}}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: {headers: @}}]}",
    "guard: {limits: [{name: a, limit: 5, window: 1m, match: {headers: {X-A: @}}}]}",
    "guard: {exempt: @}",
    "guard: {exempt: [@]}",
    "guard: {concurrency: @}",
    "guard: {concurrency: {max: @}}",
    "guard: {concurrency: {max: 5, adaptive: @}}",
    "guard: {breaker: @}",
    "guard: {breaker: {errors: @}}",
    "guard: {breaker: {ratio: @}}",
    "guard: {breaker: {of_at_least: @}}",
    "guard: {breaker: {open: @}}",
    "guard: {breaker: {open_max: @}}",
    "guard: {cache: @}",
    "guard: {cache: {size: @}}",
    "guard: {cache: {stale_if_error: @}}",
    "guard: {cache: {post: @}}",
    "guard: {cache: {post: [@]}}",
    "guard: {cache: {post: [{path: @, ttl: 1h}]}}",
    "guard: {cache: {post: [{path: /v1, ttl: @}]}}",
    "proxy: {trusted_proxies: @}",
    "proxy: {trusted_proxies: [@]}",
};

constexpr const char* kNonsense[] = {"~",           "\"\"",        "\" \"",       "-1",
                                     "0",           "1.5",         "1e400",       "99999999999999999999999",
                                     "0s",          "-1s",         "60",          "1 m",
                                     "9999d",       "5%",          "150%",        "-5%",
                                     "true",        "none",        "predict",     "/a b",
                                     "/a*b",        "\"/a?b=1\"",  "\"\\u0000\"", "ä",
                                     "10.0.0.7/24", "10.0.0.0/33", "[]",          "[[]]",
                                     "[~]",         "{}",          "{a: b}",      "{header: \"\"}",
                                     "!!int 5",     "*a"};

// "f.yaml:1:COLUMN: " and a line that helps.
bool IsOneSentence(std::string_view message) {
  constexpr std::string_view kPlace = "f.yaml:1:";
  if (!message.starts_with(kPlace) || message.size() > 250) return false;
  message.remove_prefix(kPlace.size());
  const size_t column = std::min(message.find_first_not_of("0123456789"), message.size());
  if (column == 0 || !message.substr(column).starts_with(": ")) return false;
  const bool helps = std::ranges::any_of(
      std::initializer_list<std::string_view>{"expected", "is missing here", "unknown key", "not YAML",
                                              "not read here", "stands here twice"},
      [&](std::string_view words) { return message.find(words) != std::string_view::npos; });
  return helps && message.find('\n') == std::string_view::npos;
}

TEST_F(GuardNonsenseTest, IsToldInOneSentenceThatSaysWhere) {
  for (const std::string key : kKeys) {
    for (const char* nonsense : kNonsense) {
      const std::string text = std::string(key).replace(key.find('@'), 1, nonsense) + "\n";
      const Result<Config> loaded = LoadConfig(text, "f.yaml", Context());
      if (loaded) continue;
      EXPECT_TRUE(IsOneSentence(loaded.error().message)) << text << loaded.error().message;
    }
  }
}

TEST_F(GuardNonsenseTest, AnEmptyTextAMapOrAListInAListIsNeverTakenForAnything) {
  for (const std::string key : kKeys) {
    for (const char* nonsense : {"\"\"", "[[]]", "{a: b}"}) {
      const bool a_header = key.find("headers: @") != std::string::npos && std::string(nonsense) == "{a: b}";
      const std::string text = std::string(key).replace(key.find('@'), 1, nonsense) + "\n";
      EXPECT_EQ(LoadConfig(text, "f.yaml", Context()).has_value(), a_header) << text;
    }
  }
}

}  // namespace
}  // namespace apiquota::config
