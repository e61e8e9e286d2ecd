// The places of exporter files that speak of requests before they are sent, and of refusals by the agent: a
// part of the table in grammar.cc, which alone includes it.
#pragma once

#include "provider/grammar.h"

namespace apiquota::provider {

inline constexpr GrammarKey kCharge[] = {
    {"tokens", Shape::kPlace, "Against limits in tokens.", "charge_tokens", true},
};

inline constexpr GrammarKey kChargeTokens[] = {
    {"counts", Shape::kWord,
     "Which tokens count: those of the prompt, of the answer, or `both` (if left out).", "sides"},
    {"cap", Shape::kWord,
     "What a cap in the request is charged as when it begins: `sum`, input + cap; `max`, the larger of the "
     "two; "
     "`ignored`, not at all (if left out).",
     "caps"},
    {"caps", Shape::kPointers,
     "Where the request caps the tokens of its answer; the largest that stands there counts."},
    {"times", Shape::kPointers, "Where it says how many answers it asks for."},
    {"when", Shape::kWord,
     "`start`: charged by an estimate when the request begins, which is not set right; `settled`: by an "
     "estimate that "
     "the real count replaces; `end` (if left out): by the real count alone.",
     "charge times"},
    {"media", Shape::kCount, "Tokens for one image, recording or file within the body; 0 if left out."},
    {"cached", Shape::kWord,
     "Whether what is read from the provider's cache is `counted` (if left out) or `free`.", "cached"},
    {"by_quota", Shape::kPlaceMap,
     "What differs for some quotas, by their names, which may hold a `*`: `{\"*output-tokens\": {counts: "
     "output}}`; of several the first that fits.",
     "by_quota"},
};

inline constexpr GrammarKey kByQuota[] = {
    {"counts", Shape::kWord, "Which tokens count.", "sides"},
    {"cap", Shape::kWord, "What a cap is charged as.", "caps"},
    {"cached", Shape::kWord, "Whether what is read from the cache is counted.", "cached"},
};

inline constexpr GrammarKey kBatch[] = {
    {"endpoint", Shape::kPath, "Where a batch is made.", "", true},
    {"paths", Shape::kPaths,
     "Whole paths of the POSTs that one may hold; a `*` in one stands for one or more characters.", "", true},
};

inline constexpr GrammarKey kRefusal[] = {
    {"status", Shape::kStatus,
     "429 if left out. Where the API is not well, or too many wait, it is 503 all the same."},
    {"content_type", Shape::kText, "`application/json` if left out; some kind of JSON."},
    {"body", Shape::kText,
     "JSON with `{message}`, `{quota}` and `{rule}`, texts that are escaped and stand between quotes, and "
     "`{retry_after}`, `{retry_after_ms}` and `{status}`, which are numbers.",
     "", true},
};

}  // namespace apiquota::provider
