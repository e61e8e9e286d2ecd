// What a call to a language model costs in tokens, as far as a simulation can know: a function of the request
// alone, the same every time. Pure.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

namespace apiquota::simulate {

struct TokenCount {
  double input = 0;         // a token for each four bytes of the body, rounded up
  double output_asked = 0;  // the largest cap that the body states, for each of the n answers it asks for;
                            // without one: `output`
  double output = 0;        // what will have been written; never more than the cap

  friend bool operator==(const TokenCount&, const TokenCount&) = default;
};

inline constexpr double kUncappedOutput = 16;

// `body`: the request's, if it is JSON; `output_wanted`: for each answer, in the header
// x-simulate-output-tokens; without it `output_share` of the cap, or kUncappedOutput.
TokenCount CountTokens(size_t body_bytes, const nlohmann::json& body, std::optional<double> output_wanted,
                       double output_share);

}  // namespace apiquota::simulate
