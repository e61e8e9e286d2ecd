// rooms: provider
// The first line is a value, read in every format; the whole input is a response's head, read by every
// exporter. Whatever stands there, numbers are finite and below the sentinels, and nothing is
// said of the far future.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "provider/catalogue.h"
#include "provider/extract_signals.h"
#include "provider/formats.h"

namespace provider = apiquota::provider;
using apiquota::SystemTime;

namespace {

const SystemTime kNow{std::chrono::seconds(1'718'236'800)};

void Check(const std::optional<double>& number) {
  if (number && !(std::isfinite(*number) && std::abs(*number) < 4e18)) std::abort();
}

void ReadInEveryFormat(std::string_view text) {
  for (const auto& [word, format] : provider::FormatWords()) {
    if (provider::IsTime(format)) {
      const auto moment = provider::ReadMoment(format, text, kNow);
      if (moment && apiquota::ToUnixSeconds(moment->at) > 253402300800.0) std::abort();
    } else if (const auto number = provider::ReadNumber(format, text)) {
      Check(*number);
    }
    Check(provider::ReadSpanSeconds(format, text).transform([](double s) { return std::min(s, 1e18); }));
  }
}

void CheckSignals(const provider::Signals& signals) {
  Check(signals.retry_after_seconds);
  for (const provider::Reading& reading : signals.readings) {
    Check(reading.limit);
    Check(reading.remaining);
    Check(reading.used);
    if (reading.quota.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto exporters = provider::Catalogue::Embedded()->All();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadInEveryFormat(text.substr(0, text.find('\n')));
  apiquota::http::Exchange exchange;
  exchange.status = size % 2 == 0 ? 200 : 429;
  exchange.received_at = kNow;
  for (const std::string_view line : apiquota::Split(text, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || exchange.fields.size() >= 200) continue;
    exchange.fields.Add(line.substr(0, colon), apiquota::Trim(line.substr(colon + 1)));
  }
  for (const auto& exporter : exporters) CheckSignals(provider::ExtractSignals(*exporter, exchange));
  return 0;
}
