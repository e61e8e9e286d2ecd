// Judge of answer.h: what may be kept, and what may be shared.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cache/answer.h"
#include "cache/freshness.h"
#include "cache/wish.h"

namespace apiquota::cache {
namespace {

// Bodies that come as long as somebody listens: nobody waits for their end.
constexpr std::array<std::string_view, 7> kStreams = {
    "text/event-stream",        "application/x-ndjson",    "application/ndjson",
    "application/jsonl",        "application/stream+json", "application/vnd.amazon.eventstream",
    "multipart/x-mixed-replace"};

bool IsStream(const http::Fields& fields) {
  const auto type = fields.Find("content-type");
  if (!type) return false;
  const std::string_view media = Trim(type->substr(0, type->find(';')));
  return std::ranges::any_of(kStreams, [media](std::string_view s) { return EqualsIgnoreCase(media, s); });
}

bool HasSome(const http::Fields& fields, std::string_view name) {
  const auto value = fields.Find(name);
  return value && !value->empty();
}

// RFC 6585: of these no answer may be stored, whatever it says.
bool IsNeverStored(int status) { return status == 428 || status == 429 || status == 431 || status == 511; }

// What Judge asks about, once.
struct Said {
  ResponseDirectives control;
  std::optional<Micros> expires;  // its lifetime
  bool validator = false;

  // Said in so many words to be stale at once.
  bool Stale() const {
    return control.max_age ? *control.max_age == Micros{} : expires && *expires == Micros{};
  }
  bool Fresh() const { return (control.max_age || expires) && !Stale(); }
};

// A judgement holds no clock: years of two digits are of the decades around this one, and where Date is
// missing Expires is past if it is before it.
constexpr SystemTime kAround = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);

Said Read(const http::ResponseHead& head) {
  Said said;
  said.control = ReadResponseDirectives(head.fields);
  said.expires = ExpiresLifetime(head.fields, kAround);
  said.validator = HasSome(head.fields, "etag") || HasSome(head.fields, "last-modified");
  return said;
}

// Section 5.2.2.3: with must-understand the status decides, and no-store is for caches that don't know it.
bool IsForbidden(const http::ResponseHead& head, const ResponseDirectives& control) {
  return control.no_store && !(control.must_understand && HeuristicallyCacheable(head.status));
}

// Section 3: what allows a private cache to keep it.
bool MayBeStored(const http::ResponseHead& head, const Said& said) {
  const ResponseDirectives& control = said.control;
  if (IsNeverStored(head.status)) return false;
  if (control.must_understand && !HeuristicallyCacheable(head.status)) return false;
  return control.max_age || said.expires || control.is_public || control.is_private ||
         HeuristicallyCacheable(head.status);
}

// Whether there is a way that it is ever used again.
bool MayBeUsed(const Said& said, Micros stale_if_error) {
  if (said.validator || said.Fresh()) return true;
  if (said.control.no_cache || said.control.must_revalidate) return false;
  return said.control.stale_if_error.value_or(stale_if_error) > Micros{};
}

}  // namespace

bool KeepsCookies(const http::ResponseHead& head) { return Read(head).Fresh(); }

Storable Judge(const Question& question, const http::ResponseHead& head, Micros stale_if_error) {
  if (question.method == "HEAD" || Bypasses(question, ReadWish(*question.fields))) return {};
  if (head.status < 200 || head.status == 206 || head.status == 304) return {};
  if (VariesByAnything(head.fields) || IsStream(head.fields)) return {};
  if (question.body) return {.keep = head.status == 200, .shareable = head.status == 200};
  const Said said = Read(head);
  if (IsForbidden(head, said.control)) return {};
  if (head.fields.Find("set-cookie") && !said.Fresh()) return {};
  return {.keep = MayBeStored(head, said) && MayBeUsed(said, stale_if_error),
          .shareable = !said.control.no_cache && !said.Stale()};
}

}  // namespace apiquota::cache
