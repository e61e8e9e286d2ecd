#include "cli/exchange_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <istream>
#include <utility>

#include "app/catalogue.h"
#include "app/files.h"
#include "base/text.h"
#include "cli/har.h"
#include "http/date.h"
#include "provider/body_reader.h"
#include "provider/body_scan.h"
#include "provider/exporter.h"
#include "provider/extract_signals.h"
#include "provider/rfc3339.h"

namespace apiquota::cli {
namespace {

constexpr size_t kInputBytesMax = 64 * 1024 * 1024;

Result<std::string> ReadStream(std::istream& in, std::string_view name) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    text.append(buffer.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kInputBytesMax) return Fail(fmt::format("{} is larger than 64 MiB", name));
  }
  if (in.bad()) return Fail(fmt::format("{} can't be read", name));
  return text;
}

// --now: RFC 3339 or seconds since the epoch.
Result<SystemTime> ParseNow(const std::string& text) {
  if (const auto time = provider::ParseRfc3339(text)) return *time;
  const auto seconds = ParseDecimal(text);
  if (seconds) {
    if (const auto time = FromUnixSeconds(*seconds)) return *time;
  }
  return Fail("--now: expected a time such as 2025-06-23T10:26:56Z or 1750674416");
}

// In lower case: a name, or an IPv6 address in its brackets.
bool IsHost(std::string_view host) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
  return !host.empty() && host.starts_with('[') == host.ends_with(']') &&
         host.find_first_not_of(kLetters) == std::string_view::npos;
}

// Host and path of an http or https URL, as an Exchange has them.
Result<PrintedExchange> ParseUrl(const std::string& url) {
  const size_t scheme = url.find("://");
  const std::string_view name = std::string_view(url).substr(0, scheme);
  if (scheme == std::string::npos || !(EqualsIgnoreCase(name, "http") || EqualsIgnoreCase(name, "https"))) {
    return Fail("--request-url: expected a URL such as https://api.github.com/user");
  }
  PrintedExchange exchange;
  SetTarget(url, &exchange);
  if (!IsHost(exchange.host))
    return Fail("--request-url: expected a host's name behind " + url.substr(0, scheme + 3));
  if (exchange.path == "/") exchange.path.clear();  // an origin tells of a host, and of no path
  return exchange;
}

std::vector<http::BodyValue> Scan(const provider::PointerSet& pointers, std::string_view body) {
  provider::BodyScanner scanner(pointers, pointers.all());
  scanner.Write(body);
  return scanner.TakeValues();
}

// As the agent reads bodies that pass it. What curl and others print may be decoded already, whatever the
// head says.
void ReadResponseBody(const provider::Exporter& exporter, std::string_view body, http::Exchange* exchange) {
  auto reader = provider::BodyReader::For(exporter, *exchange);
  if (!reader) return;
  reader->Write(body);
  if (reader->Failed() && exchange->fields.Find("content-encoding")) {
    reader = provider::BodyReader::For(exporter, *exchange, /*decoded=*/true);
    reader->Write(body);
  }
  reader->TakeInto(exchange);
}

}  // namespace

Result<std::string> ReadInput(const std::string& file, std::istream& in) {
  const bool from_stdin = file.empty() || file == "-";
  return from_stdin ? ReadStream(in, "standard input") : app::ReadWholeFile(file);
}

Result<std::vector<PrintedExchange>> ParseExchanges(std::string_view text) {
  if (LooksLikeHar(text)) return ParseHar(text);
  auto printed = ParsePrintedExchange(text);
  if (!printed) return std::unexpected(printed.error());
  return std::vector<PrintedExchange>{std::move(*printed)};
}

Result<ExchangeReader> ExchangeReader::For(const Options& options) {
  ExchangeReader reader;
  reader.clock_now_ = options.clock_now;
  if (!options.request_url.empty()) {
    auto requested = ParseUrl(options.request_url);
    if (!requested) return std::unexpected(requested.error());
    reader.requested_ = std::move(*requested);
  }
  if (!options.now.empty()) {
    const auto now = ParseNow(options.now);
    if (!now) return std::unexpected(now.error());
    reader.now_ = *now;
  }
  auto catalogue = app::LoadCatalogue(options.exporters_dir);
  if (!catalogue) return std::unexpected(catalogue.error());
  reader.exporters_ = std::move(*catalogue);
  if (!options.exporter.empty()) {
    auto named = app::FindExporter(reader.exporters_, options.exporter);
    if (!named) return std::unexpected(named.error());
    reader.named_ = std::move(*named);
  }
  return reader;
}

ExchangeReader::Reading ExchangeReader::Choose(const http::Exchange& exchange) const {
  Reading reading;
  using enum expose::Recognition;
  const auto choose = [&](provider::ExporterPtr exporter, expose::Recognition recognition) {
    reading.explanation.recognition = recognition;
    reading.exporter = std::move(exporter);
    return reading;
  };
  if (named_ != nullptr) return choose(named_, kNamed);
  const provider::ExporterPtr generic = exporters_.Detect("", {});
  provider::ExporterPtr by_host = exporters_.Detect(exchange.host, {});
  if (by_host != generic) return choose(std::move(by_host), kHost);
  provider::ExporterPtr found = exporters_.Detect(exchange.host, exchange.fields);
  const bool unknown = found == generic;
  return choose(std::move(found), unknown ? kGeneric : kHeaders);
}

ExchangeReader::Reading ExchangeReader::Read(const PrintedExchange& printed) const {
  http::Exchange exchange;
  exchange.method = printed.method;
  exchange.host = requested_ ? requested_->host : printed.host;
  exchange.path = requested_ ? requested_->path : printed.path;
  exchange.status = printed.status;
  exchange.fields = printed.fields;
  exchange.date = http::ParseHttpDate(exchange.fields.Find("date").value_or(""), clock_now_);
  exchange.received_at = now_.value_or(exchange.date.value_or(printed.received_at.value_or(clock_now_)));
  Reading reading = Choose(exchange);
  const provider::Exporter& exporter = *reading.exporter;
  exchange.request_body = Scan(Info(exporter).request_pointers, printed.request_body);
  ReadResponseBody(exporter, printed.body, &exchange);
  expose::Explanation& explanation = reading.explanation;
  explanation.exporter = Info(exporter).name;
  explanation.status = exchange.status;
  explanation.now = exchange.received_at;
  explanation.signals = ExtractSignals(exporter, exchange);
  explanation.title = Info(exporter).title;
  explanation.host = exchange.host;
  return reading;
}

}  // namespace apiquota::cli
