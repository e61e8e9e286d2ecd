// Serve and ConditionOf of answer.h: what a client is sent, and what the upstream is asked.
#include <string>
#include <utility>

#include "base/text.h"
#include "cache/answer.h"
#include "cache/wish.h"
#include "http/date.h"

namespace apiquota::cache {
namespace {

// RFC 9111 section 4.3.2: whether the client has what is stored. Without Last-Modified its Date counts.
bool ClientHasIt(const Answer& answer, const Question& question, const Wish& wish) {
  const http::Fields& fields = answer.head.fields;
  if (wish.none_match) return NamesTag(*question.fields, fields.Find("etag").value_or(""));
  auto modified = fields.Find("last-modified");
  if (!modified) modified = fields.Find("date");
  const SystemTime now = answer.received_at;  // only for years of two digits
  const auto since = http::ParseHttpDate(wish.modified_since, now);
  const auto changed = modified ? http::ParseHttpDate(*modified, now) : std::nullopt;
  return since && changed && *changed <= *since;
}

// RFC 9110 section 15.4.5: what describes a body that is not sent stays away.
bool StandsIn304(std::string_view name, bool has_etag) {
  if (EqualsIgnoreCase(name, "last-modified")) return !has_etag;
  return !StartsWithIgnoreCase(name, "content-") || EqualsIgnoreCase(name, "content-location") ||
         StartsWithIgnoreCase(name, "content-security-policy");
}

http::ResponseHead NotModified(const http::ResponseHead& stored) {
  http::ResponseHead head;
  head.status = 304;
  head.reason = "Not Modified";
  const bool has_etag = stored.fields.Find("etag").has_value();
  for (size_t i = 0; i < stored.fields.size(); ++i) {
    const http::FieldView field = stored.fields[i];
    if (StandsIn304(field.name, has_etag)) head.fields.Add(field.name, field.value);
  }
  return head;
}

}  // namespace

Served Serve(const Answer& answer, const Question& question, SystemTime now) {
  const Wish wish = ReadWish(*question.fields);
  const bool conditional = wish.Conditional() && answer.head.status == 200 && !question.body;
  Served served;
  if (conditional && ClientHasIt(answer, question, wish)) {
    served.head = NotModified(answer.head);
  } else {
    served.head = answer.head;
    if (question.method != "HEAD") served.body = answer.body;
  }
  const auto age = std::chrono::floor<std::chrono::seconds>(std::min(answer.AgeAt(now), kDeltaMax));
  served.head.fields.Add("Age", std::to_string(age.count()));
  return served;
}

std::optional<http::FieldView> ConditionOf(const Answer& answer) {
  const http::Fields& fields = answer.head.fields;
  if (const auto etag = fields.Find("etag"); etag && !etag->empty())
    return http::FieldView{"If-None-Match", *etag};
  const auto modified = fields.Find("last-modified");
  if (modified && !modified->empty()) return http::FieldView{"If-Modified-Since", *modified};
  return std::nullopt;
}

}  // namespace apiquota::cache
