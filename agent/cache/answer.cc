#include "cache/answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "cache/freshness.h"
#include "http/codec_facts.h"
#include "http/date.h"

namespace apiquota::cache {
namespace {

// Of one hop (RFC 9111 section 3.1, RFC 9110 section 7.6.1), or written anew: Age and Content-Length.
constexpr std::array<std::string_view, 12> kNotStored = {"age",
                                                         "connection",
                                                         "content-length",
                                                         "keep-alive",
                                                         "te",
                                                         "trailer",
                                                         "transfer-encoding",
                                                         "upgrade",
                                                         "proxy-connection",
                                                         "proxy-authenticate",
                                                         "proxy-authorization",
                                                         "proxy-authentication-info"};

// What Connection can't name away: fields by which the answer is judged, and those meant for all.
constexpr std::array<std::string_view, 9> kProtected = {
    "cache-control", "date",         "expires",          "vary", "etag",
    "last-modified", "content-type", "content-encoding", "via"};

// Fields of a 304 that would belie the body that was stored (RFC 9111 section 3.2).
constexpr std::array<std::string_view, 4> kNotUpdated = {"content-encoding", "content-range", "content-type",
                                                         "content-md5"};

template <size_t N>
bool IsAnyOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::any_of(names, [name](std::string_view other) { return EqualsIgnoreCase(name, other); });
}

// As a parser adds them, so that they are forwarded in one piece.
void AddLine(std::string_view name, std::string_view value, http::Fields* fields) {
  std::string line;
  line.reserve(name.size() + value.size() + 4);
  line.append(name).append(": ").append(value).append("\r\n");
  const size_t at = fields->AddLines(line);
  fields->AddLine({.at = at,
                   .name_size = name.size(),
                   .value_at = at + name.size() + 2,
                   .value_size = value.size(),
                   .line_size = line.size()});
}

bool ConnectionNames(const http::Fields& fields, std::string_view name) {
  bool named = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!EqualsIgnoreCase(fields[i].name, "connection")) continue;
    http::ForEachElement(fields[i].value,
                         [&](std::string_view option) { named = named || EqualsIgnoreCase(option, name); });
  }
  return named;
}

bool IsStored(const http::ResponseHead& head, std::string_view name) {
  if (IsAnyOf(name, kNotStored)) return false;
  return !head.connection_names_fields || IsAnyOf(name, kProtected) || !ConnectionNames(head.fields, name);
}

void Finish(SystemTime system_now, size_t body_size, http::ResponseHead* head) {
  if (!head->fields.Find("date")) AddLine("Date", http::FormatHttpDate(system_now), &head->fields);
  head->content_length = body_size;
  head->framing = http::BodyFraming::kLength;
  if (head->status == 204) head->framing = http::BodyFraming::kNone;
  if (head->status != 204) AddLine("Content-Length", std::to_string(body_size), &head->fields);
  http::Fields exact = head->fields;  // a copy has no room to spare
  head->fields = std::move(exact);
}

http::ResponseHead StoredHead(const Question& question, const http::ResponseHead& head, SystemTime system_now,
                              size_t body_size) {
  http::ResponseHead stored;
  stored.status = head.status;
  stored.reason = head.reason;
  for (size_t i = 0; i < head.fields.size(); ++i) {
    const http::FieldView field = head.fields[i];
    if (!IsStored(head, field.name)) continue;
    if (question.body && EqualsIgnoreCase(field.name, "set-cookie")) continue;
    AddLine(field.name, field.value, &stored.fields);
  }
  Finish(system_now, body_size, &stored);
  return stored;
}

void SetTimes(const Question& question, Micros stated_age, Micros system_ahead, Answer* answer) {
  const http::ResponseHead& head = answer->head;
  const SystemTime received = answer->received_at + system_ahead;
  const ResponseDirectives said = ReadResponseDirectives(head.fields);
  if (question.body) {
    answer->age_then = std::max(answer->received_at - answer->asked_at, Micros{});
    answer->fresh_for = question.ttl;
    return;
  }
  answer->age_then = InitialAge(head.fields, stated_age, answer->asked_at + system_ahead, received);
  answer->fresh_for = Lifetime(head, said, received);
  answer->stale_if_error = said.stale_if_error;
  answer->no_cache = said.no_cache;
  answer->must_revalidate = said.must_revalidate || said.no_cache;
}

void DropCookies(http::Fields* fields) {
  http::Fields rest;
  for (size_t i = 0; i < fields->size(); ++i) {
    const http::FieldView field = (*fields)[i];
    if (!EqualsIgnoreCase(field.name, "set-cookie")) AddLine(field.name, field.value, &rest);
  }
  *fields = std::move(rest);
}

// Whether a field of the stored head gives way to the 304's.
bool IsReplaced(std::string_view name, const http::ResponseHead& not_modified) {
  if (EqualsIgnoreCase(name, "content-length")) return true;  // written anew
  if (EqualsIgnoreCase(name, "date")) return true;            // without one in the 304: when that came
  return !IsAnyOf(name, kNotUpdated) && IsStored(not_modified, name) && not_modified.fields.Find(name);
}

}  // namespace

size_t Answer::bytes() const {
  constexpr size_t kControlBlock = 32;
  size_t bytes = sizeof(Answer) + kControlBlock + head.fields.kept_bytes() + head.reason.capacity() +
                 body.capacity() + varies.capacity() * sizeof(Selector);
  for (const Selector& selector : varies) bytes += selector.name.capacity();
  return bytes;
}

Micros Answer::AgeAt(SystemTime now) const { return age_then + std::max(now - received_at, Micros{}); }

bool Answer::FreshAt(SystemTime now) const { return !no_cache && AgeAt(now) < fresh_for; }

bool Answer::HasValidator() const { return ConditionOf(*this).has_value(); }

Answer MakeAnswer(const Question& question, const http::ResponseHead& head, std::string body,
                  SystemTime asked_at, SystemTime received_at, Micros system_ahead) {
  if (body.capacity() > body.size() + body.size() / 8) body.shrink_to_fit();
  Answer answer;
  answer.head = StoredHead(question, head, received_at + system_ahead, body.size());
  answer.body = std::move(body);
  answer.asked_at = asked_at;
  answer.received_at = received_at;
  if (!question.body) answer.varies = SelectorsOf(head.fields, *question.fields);
  SetTimes(question, StatedAge(head.fields), system_ahead, &answer);
  return answer;
}

bool Confirms(const http::ResponseHead& not_modified, const Answer& answer) {
  const auto theirs = not_modified.fields.Find("etag");
  const auto ours = answer.head.fields.Find("etag");
  if (!theirs || !ours) return true;
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  return opaque(*theirs) == opaque(*ours);
}

Answer Freshened(const Answer& answer, const Question& question, const http::ResponseHead& not_modified,
                 SystemTime asked_at, SystemTime received_at, Micros system_ahead) {
  Answer fresh;
  fresh.head.status = answer.head.status;
  fresh.head.reason = answer.head.reason;
  fresh.body = answer.body;
  fresh.asked_at = asked_at;
  fresh.received_at = received_at;
  fresh.tokens = answer.tokens;
  http::Fields* fields = &fresh.head.fields;
  for (size_t i = 0; i < answer.head.fields.size(); ++i) {
    const http::FieldView field = answer.head.fields[i];
    if (!IsReplaced(field.name, not_modified)) AddLine(field.name, field.value, fields);
  }
  for (size_t i = 0; i < not_modified.fields.size(); ++i) {
    const http::FieldView field = not_modified.fields[i];
    if (IsStored(not_modified, field.name) && !IsAnyOf(field.name, kNotUpdated)) {
      AddLine(field.name, field.value, fields);
    }
  }
  if (fields->Find("set-cookie") && !KeepsCookies(fresh.head)) DropCookies(fields);
  Finish(received_at + system_ahead, fresh.body.size(), &fresh.head);
  if (!question.body) fresh.varies = SelectorsOf(fresh.head.fields, *question.fields);
  SetTimes(question, StatedAge(not_modified.fields), system_ahead, &fresh);
  return fresh;
}

}  // namespace apiquota::cache
