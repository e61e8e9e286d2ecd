// Signals as short lines, for tests that compare whole responses.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "provider/catalogue.h"
#include "provider/extract_signals.h"

namespace apiquota::provider {

inline const SystemTime kNow{std::chrono::seconds(1'718'236'800)};  // 2024-06-13T00:00:00Z

using Headers = std::vector<std::pair<std::string, std::string>>;

inline http::Exchange Answer(int status, const Headers& headers) {
  http::Exchange exchange;
  exchange.method = "POST";
  exchange.path = "/v1/chat/completions";
  exchange.status = status;
  exchange.received_at = kNow;
  for (const auto& [name, value] : headers) exchange.fields.Add(name, value);
  return exchange;
}

inline Signals Extract(const std::string& exporter, const http::Exchange& exchange) {
  static const auto catalogue = Catalogue::Embedded();
  return ExtractSignals(*catalogue->Find(exporter), exchange);
}

// "resource/quota limit remaining used +reset window policy", "-" for what was not said.
inline std::string Line(const Reading& reading) {
  const auto number = [](const std::optional<double>& value) { return value ? FormatNumber(*value) : "-"; };
  std::string line = reading.resource + "/" + reading.quota + " " + number(reading.limit) + " " +
                     number(reading.remaining) + " " + number(reading.used) + " ";
  line += reading.reset_at ? "+" + FormatNumber(ToSeconds(*reading.reset_at - kNow)) : "-";
  return line + " " + number(reading.window_seconds) + " " + reading.policy.value_or("-");
}

inline std::vector<std::string> Lines(const Signals& signals) {
  std::vector<std::string> lines;
  for (const Reading& reading : signals.readings) lines.push_back(Line(reading));
  return lines;
}

using L = std::vector<std::string>;

}  // namespace apiquota::provider
