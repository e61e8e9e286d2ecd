// rooms: provider
// The first byte chooses type and coding, the second the size of pieces; the rest is a request's body. Any
// body is read without harm, and the same way in pieces as in one, measured or not; what is measured adds up.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "provider/request_reader.h"

namespace provider = apiquota::provider;
namespace http = apiquota::http;

namespace {

constexpr std::string_view kTypes[] = {"application/json", "multipart/form-data; boundary=b",
                                       "multipart/form-data; boundary=\"--\"", "text/plain"};
constexpr std::string_view kCodings[] = {"", "gzip", "br", "zstd"};

struct Read {
  std::vector<http::BodyValue> values;
  bool failed = false;
  provider::BodySize size = {};

  friend bool operator==(const Read&, const Read&) = default;
};

using Measure = provider::RequestReader::Measure;

Read ReadBody(uint8_t choice, std::string_view body, size_t piece, Measure measure) {
  http::Fields fields;
  fields.Add("content-type", kTypes[choice % 4]);
  fields.Add("content-encoding", kCodings[choice / 4 % 4]);
  static const provider::PointerSet kPointers({"/model", "/n", "/a/b"});
  provider::RequestReader reader(kPointers, fields, measure);
  for (size_t at = 0; at < body.size(); at += piece) reader.Write(body.substr(at, piece));
  Read read{reader.TakeValues(), reader.Failed(), reader.size()};
  for (const http::BodyValue& value : read.values) {
    if (value.value.size() > 1024) std::abort();
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Read whole = ReadBody(data[0], body, body.size(), Measure::kYes);
  const Read pieces = ReadBody(data[0], body, 1 + data[1], Measure::kYes);
  const Read unmeasured = ReadBody(data[0], body, body.size(), Measure::kNo);
  if (unmeasured.values != whole.values || unmeasured.failed != whole.failed) std::abort();
  const bool coded =
      data[0] / 4 % 4 != 0;  // what a broken coding gives before it breaks depends on the pieces
  if (coded) return 0;
  if (!(whole == pieces) || whole.size.text_bytes + whole.size.media_bytes != body.size()) std::abort();
  return 0;
}
