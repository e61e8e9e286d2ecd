// rooms: cache
// Fields of a request, a blank line, fields of an answer, a blank line, and those of a 304, one a line:
// whatever they say, what is kept may be kept, is never younger than it says, and is served whole. And
// canonical JSON is its own.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "cache/answer.h"
#include "cache/cache_control.h"
#include "cache/freshness.h"
#include "http/codec.h"

namespace cache = apiquota::cache;
namespace http = apiquota::http;
using apiquota::Micros;
using apiquota::SystemTime;

namespace {

constexpr SystemTime kNow = SystemTime(std::chrono::seconds(784111777));

// Up to the next blank line, or the end.
http::Fields TakeFields(std::string_view* text) {
  http::Fields fields;
  while (!text->empty()) {
    const std::string_view line = text->substr(0, text->find('\n'));
    text->remove_prefix(std::min(line.size() + 1, text->size()));
    if (line.empty()) break;
    const size_t name = http::TokenLength(line);
    const std::string_view value = apiquota::Trim(line.substr(std::min(name + 1, line.size())));
    if (name > 0 && http::IsFieldValue(value)) fields.Add(line.substr(0, name), value);
  }
  return fields;
}

void Expect(bool truth) {
  if (!truth) std::abort();
}

void CheckServed(const cache::Answer& answer, const cache::Question& question, SystemTime now) {
  const cache::Served served = cache::Serve(answer, question, now);
  Expect(served.head.fields.Count("age") == 1 && served.head.fields.Count("date") >= 1);
  Expect(served.head.status == answer.head.status || served.head.status == 304);
  Expect(served.body == (served.head.status == 304 ? "" : answer.body));
  Expect(answer.AgeAt(now) >= Micros{} && answer.fresh_for >= Micros{});
  Expect(!answer.FreshAt(now) || answer.AgeAt(now) >= cache::StatedAge(served.head.fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto canonical = cache::CanonicalJson(text))
    Expect(cache::CanonicalJson(*canonical) == canonical);
  const http::Fields request = TakeFields(&text);
  http::ResponseHead head;
  head.status = 200;
  head.fields = TakeFields(&text);
  http::ResponseHead not_modified;
  not_modified.status = 304;
  not_modified.fields = TakeFields(&text);
  const cache::Question question{.method = "GET",
                                 .target = "/v1/x",
                                 .credential = "c",
                                 .fields = &request,
                                 .body = {},
                                 .ttl = {},
                                 .credential_fields = {}};
  const cache::Storable storable = cache::Judge(question, head);
  if (!storable.keep && !storable.shareable) return 0;
  const cache::ResponseDirectives said = cache::ReadResponseDirectives(head.fields);
  Expect(!said.no_store || said.must_understand);
  const auto answer = cache::MakeAnswer(question, head, "body", kNow, kNow, Micros{});
  if (said.max_age) Expect(answer.fresh_for <= *said.max_age);
  Expect(!said.no_cache || (!storable.shareable && !answer.FreshAt(kNow)));
  CheckServed(answer, question, kNow);
  CheckServed(cache::Freshened(answer, question, not_modified, kNow, kNow, Micros{}), question,
              kNow + std::chrono::seconds(5));
  return 0;
}
