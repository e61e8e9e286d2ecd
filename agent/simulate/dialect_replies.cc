// The half of simulate/dialect.h that is about whole replies: refusals, how long to wait, what was spent.
#include <algorithm>
#include <array>

#include "provider/formats.h"
#include "simulate/dialect.h"

namespace apiquota::simulate {
namespace {

using provider::Condition;
using provider::FieldSource;
using provider::ThrottleRule;
using provider::TokenType;

void SayCondition(const Condition& condition, ReplyWriter* reply) {
  const bool present = condition.test == Condition::Test::kPresent;
  if (condition.on == Condition::On::kHeader) {
    if (!present) reply->SetHeader(condition.name, condition.text);
    if (present && !reply->HasHeader(condition.name)) reply->SetHeader(condition.name, "1");
  } else if (condition.test == Condition::Test::kContains) {
    reply->AddToBody(condition.name, condition.text);
  } else {
    reply->SetBody(condition.name, present ? "1" : condition.text);
  }
}

std::string_view FirstSegment(std::string_view pointer) { return pointer.substr(0, pointer.find('/', 1)); }

// The first place in a body that stands beside what the rule looks for; else the first there is.
const FieldSource* BodySource(const std::vector<FieldSource>& sources, const ThrottleRule& rule) {
  const FieldSource* first = nullptr;
  for (const FieldSource& source : sources) {
    if (source.from != FieldSource::From::kBody) continue;
    const auto beside = [&](const Condition& condition) {
      return condition.on != Condition::On::kHeader &&
             FirstSegment(condition.name) == FirstSegment(source.name);
    };
    if (std::ranges::any_of(rule.conditions, beside)) return &source;
    if (first == nullptr) first = &source;
  }
  return first;
}

size_t IndexOf(TokenType type) { return static_cast<size_t>(type); }

}  // namespace

bool Applies(const provider::When& when, std::string_view path, int status) {
  const bool any = when.statuses.empty();
  return path.starts_with(when.path) &&
         (any || std::ranges::find(when.statuses, status) != when.statuses.end());
}

void SayWhen(const provider::When& when, ReplyWriter* reply) {
  for (const Condition& condition : when.headers) SayCondition(condition, reply);
}

bool IsSaidInEvents(const ThrottleRule& rule) {
  return std::ranges::find(rule.conditions, Condition::On::kStream, &Condition::on) != rule.conditions.end();
}

void SayThrottle(const ThrottleRule& rule, ReplyWriter* reply, ReplyWriter* event) {
  for (const Condition& condition : rule.conditions) {
    SayCondition(condition, condition.on == Condition::On::kStream ? event : reply);
  }
}

void SayRetryAfter(const provider::Exporter& exporter, const ThrottleRule& rule, Micros wait, Micros skew,
                   SystemTime now, ReplyWriter* reply, ReplyWriter* event) {
  const auto say = [&](const FieldSource& source, ReplyWriter* where) {
    const provider::Format format = source.formats.front();
    const SystemTime until = now + wait + (provider::IsAbsolute(format) ? skew : Micros(0));
    where->Say(source, {}, provider::WriteMoment(format, until, now));
  };
  for (const FieldSource& source : exporter.retry_after) {
    if (source.from == FieldSource::From::kHeader && !IsSaidInEvents(rule)) say(source, reply);
  }
  if (const FieldSource* source = BodySource(exporter.retry_after, rule)) {
    say(*source, IsSaidInEvents(rule) ? event : reply);
  }
}

provider::TokenUsage SpokenUsage(const provider::Exporter& exporter, const provider::TokenUsage& usage) {
  provider::TokenUsage spoken{};
  for (const provider::UsageRule& rule : exporter.usage)
    spoken[IndexOf(rule.type)] = usage[IndexOf(rule.type)];
  return spoken;
}

void SayUsage(const provider::Exporter& exporter, const provider::TokenUsage& usage, ReplyWriter* reply) {
  for (const provider::UsageRule& rule : exporter.usage) {
    uint64_t tokens = usage[IndexOf(rule.type)];
    for (const provider::UsageRule& other : exporter.usage) {
      if (other.within == rule.type) tokens += usage[IndexOf(other.type)];
    }
    reply->SetBody(rule.pointers.front(), std::to_string(tokens));
  }
}

}  // namespace apiquota::simulate
