// A refusal of the guard's as the client is told of it (docs/guard.md, "Refusals"): in the numbers of the one
// rule that refused, and in the API's own shape, so that SDKs show the sentence. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "guard/own_limits.h"
#include "guard/values.h"
#include "http/codec.h"
#include "provider/exporter.h"

namespace apiquota::proxy {

struct RefusalAnswer {
  http::ResponseHead head;
  std::string body;
};

// `standings`: of the operator's own limits, where one of them refuses; `system_now`: of the clock that
// clients have, too.
RefusalAnswer AnswerOf(const guard::Refusal& refusal, std::string_view api,
                       const provider::Exporter& exporter, SystemTime now,
                       std::span<const guard::LimitStanding> standings = {}, SystemTime system_now = {});

// Whole seconds until it could have gone, rounded up; never 0.
uint64_t RetryAfterOf(const guard::Refusal& refusal, SystemTime now);

// What a person reads: "the guard holds this request back: quota tokens of gpt-5 … in 12 s".
std::string SentenceOf(const guard::Refusal& refusal, std::string_view api, SystemTime now);

// Of apiquota-delay: "0.42;reason=pace;quota=tokens".
std::string DelayText(Micros waited, guard::Reason reason, std::string_view quota);

}  // namespace apiquota::proxy
