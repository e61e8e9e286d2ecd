// From amounts to words: how an exporter's API says what is left of a quota, that it refuses, and how long to
// wait. The opposite of provider/extract_signals.h. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "provider/exporter_rules.h"
#include "simulate/manner.h"
#include "simulate/reply_writer.h"

namespace apiquota::simulate {

// One quota as its API is about to say it.
struct SpokenQuota {
  const provider::QuotaRule* rule = nullptr;
  std::string star;      // what stands for the '*' of the quota's name
  std::string resource;  // … of the resource, where a pointer's '*' names it
  double limit = 0;
  double remaining = 0;
  SystemTime reset_at = {};
  Micros window{0};
  bool ietf = false;   // in the fields RateLimit and RateLimit-Policy, where the rule has them
  Manner manner = {};  // of resets; `remaining` is as it is said
};

// A rule whose window, limit or anything else can be said in a response at all.
bool CanBeSaid(const provider::QuotaRule& rule);

// What it says of a quota means that nothing is left: `remaining` is a constant.
bool SaysExhaustion(const provider::QuotaRule& rule);

// The rule knows both RateLimit and RateLimit-Policy.
bool SpeaksIetf(const provider::QuotaRule& rule);

// A name for the '*' of rule `index` that leads back to this rule and to no other of the file: "requests",
// "minute" where the name tells the window, a word of `units`. Empty: the rule has no '*'.
std::string NameForStar(const provider::Exporter& exporter, size_t index);

// The quota's name with `star` in it, as explain will read it.
std::string QuotaName(const provider::QuotaRule& rule, std::string_view star);
std::string QuotaUnit(const provider::QuotaRule& rule, std::string_view star);

// How long until all is back, if the file or the name tells.
std::optional<Micros> KnownWindow(const provider::QuotaRule& rule, std::string_view star,
                                  std::string_view resource);

// The limit that the file itself states: what the API has and nobody can change. Not that of shares (1, 100
// %).
std::optional<double> KnownLimit(const provider::QuotaRule& rule);

// Shares are told as a part of the file's constant limit: what amounts of a quota of `limit` are multiplied
// by.
double ShareOf(const provider::QuotaRule& rule, double limit);

void SayQuota(const SpokenQuota& quota, SystemTime now, ReplyWriter* reply);

// Whether a rule speaks of such a response, whatever the headers.
bool Applies(const provider::When& when, std::string_view path, int status);
// … and the headers without which it does not.
void SayWhen(const provider::When& when, ReplyWriter* reply);

// Everything the rule looks for, but the status: in the head and the body, or in an event of a stream.
void SayThrottle(const provider::ThrottleRule& rule, ReplyWriter* reply, ReplyWriter* event);
bool IsSaidInEvents(const provider::ThrottleRule& rule);

// In the headers that the file names for it, and in the body or the event beside what `rule` looks for.
// `skew`: how far the API's clock is ahead, for what is said as a point in time.
void SayRetryAfter(const provider::Exporter& exporter, const provider::ThrottleRule& rule, Micros wait,
                   Micros skew, SystemTime now, ReplyWriter* reply, ReplyWriter* event);

// What a reply says it cost in tokens where nobody counts them: of each type something else.
inline constexpr provider::TokenUsage kExampleUsage = {12, 4, 3, 7, 2};

// `usage`, as far as the file knows where to say it.
provider::TokenUsage SpokenUsage(const provider::Exporter& exporter, const provider::TokenUsage& usage);
void SayUsage(const provider::Exporter& exporter, const provider::TokenUsage& usage, ReplyWriter* reply);

}  // namespace apiquota::simulate
