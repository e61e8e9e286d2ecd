#include "provider/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "provider/exporter_rules.h"

namespace apiquota::provider {
namespace {

using Json = nlohmann::ordered_json;
using Value = RefusalRule::Value;

constexpr std::pair<std::string_view, Value> kPlaceholders[] = {{"message", Value::kMessage},
                                                                {"retry_after", Value::kRetryAfter},
                                                                {"retry_after_ms", Value::kRetryAfterMs},
                                                                {"status", Value::kStatus},
                                                                {"quota", Value::kQuota},
                                                                {"rule", Value::kRule}};

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Between the quotes of a JSON string.
std::string Escaped(const std::string& text) {
  const std::string quoted = Dump(text);
  return quoted.substr(1, quoted.size() - 2);
}

// A wait that is never shorter than it is.
std::string Whole(double amount) { return fmt::format("{:.0f}", std::ceil(std::max(0.0, amount))); }

int StatusOf(const RefusalFacts& facts, int limited) { return facts.unavailable ? 503 : limited; }

std::string TextOf(const RefusalRule::Piece& piece, const RefusalFacts& facts, int status) {
  switch (piece.value) {
    case Value::kMessage:
      return Escaped(facts.message);
    case Value::kRetryAfter:
      return Whole(facts.retry_after_seconds);
    case Value::kRetryAfterMs:
      return Whole(facts.retry_after_seconds * 1000);
    case Value::kStatus:
      return fmt::format("{}", status);
    case Value::kQuota:
      return Escaped(facts.quota);
    case Value::kRule:
      return Escaped(facts.rule);
    case Value::kLiteral:
      break;
  }
  return piece.text;
}

std::string Filled(const std::vector<RefusalRule::Piece>& pieces, const RefusalFacts& facts, int status) {
  std::string text;
  for (const RefusalRule::Piece& piece : pieces) text += TextOf(piece, facts, status);
  return text;
}

RefusalBody ProblemDetails(const RefusalFacts& facts) {
  const int status = StatusOf(facts, 429);
  const std::string_view type = facts.unavailable ? "temporary-reduced-capacity" : "quota-exceeded";
  Json problem = {{"type", fmt::format("https://iana.org/assignments/http-problem-types#{}", type)},
                  {"title", facts.unavailable ? "The API has no capacity for this request at the moment"
                                              : "The quota for this request is used up"},
                  {"status", status},
                  {"detail", facts.message}};
  if (!facts.violated_policies.empty()) problem["violated-policies"] = facts.violated_policies;
  return {status, "application/problem+json", Dump(problem)};
}

// The word of "{word}" at the text's beginning; empty: it is JSON's own brace.
std::string_view WordInBraces(std::string_view text) {
  const auto in_word = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto end = std::find_if_not(text.begin() + 1, text.end(), in_word);
  if (end == text.begin() + 1 || end == text.end() || *end != '}') return {};
  return text.substr(1, static_cast<size_t>(end - text.begin()) - 1);
}

}  // namespace

std::vector<std::string_view> RefusalPlaceholders() {
  std::vector<std::string_view> words;
  for (const auto& [word, value] : kPlaceholders) words.push_back(word);
  return words;
}

std::expected<std::vector<RefusalRule::Piece>, std::string> ParseRefusalBody(std::string_view text) {
  std::vector<RefusalRule::Piece> pieces;
  std::string literal;
  const auto keep_literal = [&] {
    if (!literal.empty()) pieces.push_back({Value::kLiteral, std::exchange(literal, {})});
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const std::string_view word = text[at] == '{' ? WordInBraces(text.substr(at)) : std::string_view();
    if (word.empty()) {
      literal += text[at];
      continue;
    }
    const auto* found = std::ranges::find(kPlaceholders, word, &std::pair<std::string_view, Value>::first);
    if (found == std::end(kPlaceholders)) {
      return std::unexpected(
          fmt::format("unknown placeholder; known here: {}", fmt::join(RefusalPlaceholders(), ", ")));
    }
    keep_literal();
    pieces.push_back({found->second});
    at += word.size() + 1;
  }
  keep_literal();
  if (std::ranges::find(pieces, Value::kMessage, &RefusalRule::Piece::value) == pieces.end())
    return std::unexpected("expected {message} in it: the sentence that people are to see");
  const RefusalFacts sample{.message = "a \"b\"\n", .quota = "q", .rule = "r"};
  if (!Json::accept(Filled(pieces, sample, 429)))
    return std::unexpected("expected JSON, with {message} and other texts between quotes");
  return pieces;
}

RefusalBody RenderRefusal(const Exporter& exporter, const RefusalFacts& facts) {
  if (!exporter.refusal) return ProblemDetails(facts);
  const int status = StatusOf(facts, exporter.refusal->status);
  return {status, exporter.refusal->content_type, Filled(exporter.refusal->body, facts, status)};
}

}  // namespace apiquota::provider
