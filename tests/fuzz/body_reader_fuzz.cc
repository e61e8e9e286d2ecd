// rooms: provider
// The first byte chooses an exporter, the second status, type and coding, the third the size of pieces; the
// rest is a body. Every exporter reads any body without harm, and the same way in pieces as in one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "provider/body_reader.h"
#include "provider/catalogue.h"
#include "provider/extract_signals.h"

namespace provider = apiquota::provider;
namespace http = apiquota::http;

namespace {

constexpr int kStatuses[] = {200, 429, 403, 503};
constexpr std::string_view kTypes[] = {"application/json", "text/event-stream", "application/x-ndjson",
                                       "text/plain"};
constexpr std::string_view kCodings[] = {"", "gzip", "br", "zstd"};

struct Read {
  http::Exchange exchange;
  bool failed = false;
};

Read ReadBody(const provider::Exporter& exporter, uint8_t choice, std::string_view body, size_t piece) {
  Read read;
  http::Exchange& exchange = read.exchange;
  exchange.status = kStatuses[choice % 4];
  exchange.path = provider::Info(exporter).name == "github" ? "/rate_limit" : "/graphql";
  exchange.received_at = apiquota::SystemTime(std::chrono::seconds(1'718'236'800));
  exchange.fields.Add("content-type", kTypes[choice / 4 % 4]);
  exchange.fields.Add("content-encoding", kCodings[choice / 16 % 4]);
  auto reader = provider::BodyReader::For(exporter, exchange);
  if (!reader) return read;
  for (size_t at = 0; at < body.size(); at += piece) reader->Write(body.substr(at, piece));
  read.failed = reader->Failed();
  reader->TakeInto(&exchange);
  size_t bytes = 0;
  for (const http::BodyValue& value : exchange.response_body) bytes += value.value.size();
  if (bytes > 40 * 1024 || exchange.response_body.size() > 64 * 64) std::abort();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto exporters = provider::Catalogue::Embedded()->All();
  if (size < 4) return 0;
  const provider::Exporter& exporter = *exporters[data[0] % exporters.size()];
  const std::string_view body(reinterpret_cast<const char*>(data) + 3, size - 3);
  const Read whole = ReadBody(exporter, data[1], body, body.size());
  const Read pieces = ReadBody(exporter, data[1], body, 1 + data[2]);
  const bool coded =
      data[1] / 16 % 4 != 0;  // what a broken coding gives before it breaks depends on the pieces
  if (!coded &&
      (whole.failed != pieces.failed || whole.exchange.response_body != pieces.exchange.response_body ||
       whole.exchange.stream_event != pieces.exchange.stream_event)) {
    std::abort();
  }
  const provider::Signals signals = provider::ExtractSignals(exporter, whole.exchange);
  if (signals.usage) {
    for (const uint64_t count : *signals.usage) {
      if (count > 1'000'000'000) std::abort();
    }
  }
  return 0;
}
