// Questions and answers as the cache's tests write them, and the moment at which all of them happen.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/answer.h"
#include "cache/question.h"
#include "http/codec.h"

namespace apiquota::cache {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Sun, 06 Nov 1994 08:49:37 GMT
inline constexpr SystemTime kNow = SystemTime(seconds(784111777));
inline constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
inline constexpr std::string_view kHourAgo = "Sun, 06 Nov 1994 07:49:37 GMT";
inline constexpr std::string_view kInAnHour = "Sun, 06 Nov 1994 09:49:37 GMT";

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::Fields FieldsOf(Lines lines) {
  http::Fields fields;
  for (const auto& [name, value] : lines) fields.Add(name, value);
  return fields;
}

inline http::ResponseHead HeadOf(int status, Lines lines) {
  http::ResponseHead head;
  head.status = status;
  head.reason = "Reason";
  head.fields = FieldsOf(lines);
  for (const auto& [name, value] : lines) head.connection_names_fields |= name == "Connection";
  return head;
}

// A question that owns what it is about.
struct Asked {
  std::string method = "GET";
  std::string target = "/v1/x";
  std::string credential = "c";
  http::Fields fields = {};
  std::optional<std::string> body = {};
  Micros ttl{};

  Asked() = default;
  Asked(Lines lines) : fields(FieldsOf(lines)) {}  // NOLINT(google-explicit-constructor)
  Asked(std::string_view a_method, std::string_view a_target, Lines lines = {})
      : method(a_method), target(a_target), fields(FieldsOf(lines)) {}

  Question operator*() const {
    return {.method = method,
            .target = target,
            .credential = credential,
            .fields = &fields,
            .body = body ? std::optional<std::string_view>(*body) : std::nullopt,
            .ttl = ttl,
            .credential_fields = {}};
  }
};

inline Asked Posted(std::string_view body, Micros ttl = hours(1)) {
  Asked asked("POST", "/v1/embeddings");
  asked.body = std::string(body);
  asked.ttl = ttl;
  return asked;
}

// Asked and received at `at`, by a system clock that agrees.
inline Answer Made(const Asked& asked, const http::ResponseHead& head, std::string body = "body",
                   SystemTime at = kNow) {
  return MakeAnswer(*asked, head, std::move(body), at, at, Micros{});
}
inline AnswerPtr Kept(const Asked& asked, const http::ResponseHead& head, std::string body = "body",
                      SystemTime at = kNow) {
  return std::make_shared<const Answer>(Made(asked, head, std::move(body), at));
}

// "Name: value" of each field, in order.
inline std::vector<std::string> LinesOf(const http::Fields& fields) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < fields.size(); ++i) {
    lines.push_back(std::string(fields[i].name).append(": ").append(fields[i].value));
  }
  return lines;
}

}  // namespace apiquota::cache
