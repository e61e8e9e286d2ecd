#include "cache/question.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace apiquota::cache {
namespace {

// Fields that say who asks, by which way, or for the account of it, and of one hop: no answer is selected by
// them.
constexpr std::array<std::string_view, 31> kNeverSelects = {"user-agent",
                                                            "host",
                                                            "connection",
                                                            "keep-alive",
                                                            "proxy-connection",
                                                            "te",
                                                            "trailer",
                                                            "upgrade",
                                                            "transfer-encoding",
                                                            "content-length",
                                                            "expect",
                                                            "via",
                                                            "forwarded",
                                                            "x-real-ip",
                                                            "date",
                                                            "priority",
                                                            "traceparent",
                                                            "tracestate",
                                                            "baggage",
                                                            "b3",
                                                            "sentry-trace",
                                                            "x-request-id",
                                                            "x-correlation-id",
                                                            "x-client-request-id",
                                                            "x-amzn-trace-id",
                                                            "x-cloud-trace-context",
                                                            "x-goog-api-client",
                                                            "request-id",
                                                            "idempotency-key",
                                                            "cache-control",
                                                            "pragma"};
constexpr std::array<std::string_view, 5> kNeverSelectsPrefixes = {"x-stainless-", "x-b3-", "x-datadog-",
                                                                   "x-forwarded-", "x-envoy-"};

bool MaySelect(std::string_view name, const Question& question) {
  for (const std::string_view other : kNeverSelects) {
    if (EqualsIgnoreCase(name, other)) return false;
  }
  for (const std::string_view prefix : kNeverSelectsPrefixes) {
    if (StartsWithIgnoreCase(name, prefix)) return false;
  }
  return std::ranges::none_of(question.credential_fields,
                              [name](const std::string& other) { return EqualsIgnoreCase(name, other); });
}

bool NameLess(const http::FieldView& a, const http::FieldView& b) {
  return std::ranges::lexicographical_compare(a.name, b.name, {}, AsciiLower, AsciiLower);
}

// In whatever order they came: only lines of one name have one among themselves (RFC 9110 section 5.3).
void AddFields(const Question& question, Hasher* hasher) {
  std::vector<http::FieldView> fields;
  fields.reserve(question.fields->size());
  for (size_t i = 0; i < question.fields->size(); ++i) {
    const http::FieldView field = (*question.fields)[i];
    if (MaySelect(field.name, question)) fields.push_back(field);
  }
  std::ranges::stable_sort(fields, NameLess);
  for (const http::FieldView& field : fields) hasher->Add(ToLower(field.name)).Add(field.value);
}

}  // namespace

Digest KeyOf(const Question& question) {
  Hasher hasher;
  hasher.Add(question.credential).Add(question.target);
  if (question.body) {
    hasher.Add(question.method).Add(*question.body);
    AddFields(question, &hasher);
  }
  return hasher.Finish();
}

Digest IdentityOf(const Question& question) {
  Hasher hasher;
  hasher.Add(question.credential).Add(question.target).Add(question.method);
  if (question.body) hasher.Add(*question.body);
  AddFields(question, &hasher);
  return hasher.Finish();
}

}  // namespace apiquota::cache
