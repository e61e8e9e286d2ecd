// How an API counts the tokens of one request against its limits (`charge:` of an exporter file), what a
// request is expected to take before it is sent, and what its answer says it took. Values and pure functions;
// thread-safe. Units: tokens, bytes of the decoded body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "provider/signals.h"

namespace apiquota::provider {

enum class TokenSide : uint8_t { kInput, kOutput, kBoth };

// What a cap in the request ("max_tokens") adds when it begins: input + cap; the larger of the two; nothing.
enum class CapCharge : uint8_t { kSum, kMax, kIgnored };

// When a request is charged: by an estimate when it begins, and never set right; by an estimate that its real
// count replaces when it ends; by its real count alone.
enum class ChargeTime : uint8_t { kStart, kSettled, kEnd };

// What one quota counts.
struct QuotaCharge {
  TokenSide counts = TokenSide::kBoth;
  CapCharge cap = CapCharge::kIgnored;
  bool cached_free = false;  // what is read from the provider's cache is not counted

  friend bool operator==(const QuotaCharge&, const QuotaCharge&) = default;
};

struct ChargeRule {
  struct Named {
    std::string quota;  // a quota's name; may hold one '*'
    QuotaCharge charge;

    friend bool operator==(const Named&, const Named&) = default;
  };

  QuotaCharge charge;              // of quotas in tokens that none below names
  std::vector<Named> by_quota;     // the first that fits
  std::vector<std::string> caps;   // JSON pointers into the request: the largest of all counts
  std::vector<std::string> times;  // … to how many answers are asked for; likewise
  ChargeTime when = ChargeTime::kEnd;
  double media = 0;  // of one image, recording or file within the body

  friend bool operator==(const ChargeRule&, const ChargeRule&) = default;
};

const QuotaCharge& ChargeOf(const ChargeRule& rule, std::string_view quota);

// A body by what is in it (request_meter.h).
struct BodySize {
  uint64_t text_bytes = 0;  // all that is no media
  uint64_t media_bytes = 0;
  uint32_t media = 0;  // pieces

  friend bool operator==(const BodySize&, const BodySize&) = default;
};

struct RequestFacts {
  BodySize size;
  bool ended = false;         // the body has come to its end, or there is none
  std::optional<double> cap;  // tokens of one answer
  double times = 1;           // answers

  friend bool operator==(const RequestFacts&, const RequestFacts&) = default;
};

// What the body said, as RequestReader found it. Texts that are no counts, negative and absurd ones are as if
// they were not there.
RequestFacts FactsOf(const ChargeRule& rule, const std::vector<http::BodyValue>& body, const BodySize& size,
                     bool ended);

struct TokenEstimate {
  double input = 0;  // media among it
  double media = 0;
  double output = 0;    // of all answers: what the caps allow where they are charged, else what is expected
  bool capped = false;  // a cap is charged when the request begins: `output` is what the API takes, no guess

  friend bool operator==(const TokenEstimate&, const TokenEstimate&) = default;
};

// `tokens_per_byte` of text, and `expected_output` of one answer, are what was learnt of the model. A cap
// that is not charged still bounds what is expected.
TokenEstimate Estimate(const ChargeRule& rule, const RequestFacts& facts, double tokens_per_byte,
                       double expected_output);

// What a quota is to set aside for a request that is estimated so.
double Reserved(const QuotaCharge& charge, const TokenEstimate& estimate);

// What an answer's usage costs a quota.
double Charged(const QuotaCharge& charge, const TokenUsage& usage);
double Charged(const ChargeRule& rule, std::string_view quota, const TokenUsage& usage);

}  // namespace apiquota::provider
