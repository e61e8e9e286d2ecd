// rooms: provider
// The first byte chooses the kind of stream and the size of pieces; the rest is the stream. However it is
// cut, the same events come out, and no more of them than there are bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/event_stream.h"

namespace provider = apiquota::provider;

namespace {

struct Events final : provider::EventStreamHandler {
  void OnData(std::string_view piece) override { data.append(piece); }
  void OnEventEnd() override {
    if (data.empty()) std::abort();
    events.push_back(std::exchange(data, {}));
  }
  std::string data;
  std::vector<std::string> events;
};

std::vector<std::string> Read(provider::EventStream::Kind kind, std::string_view text, size_t piece) {
  provider::EventStream stream(kind);
  Events events;
  for (size_t at = 0; at < text.size(); at += piece) stream.Write(text.substr(at, piece), events);
  stream.End(events);
  if (!events.data.empty()) std::abort();
  if (events.events.size() > text.size()) std::abort();
  return events.events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto kind =
      data[0] % 2 == 0 ? provider::EventStream::Kind::kServerSentEvents : provider::EventStream::Kind::kLines;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Read(kind, text, text.size()) != Read(kind, text, 1 + data[0] / 16)) std::abort();
  return 0;
}
