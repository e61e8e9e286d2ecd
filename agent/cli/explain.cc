#include "cli/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <istream>
#include <ostream>

#include "app/catalogue.h"
#include "app/files.h"
#include "base/text.h"
#include "cli/printed_exchange.h"
#include "expose/explain.h"
#include "http/date.h"
#include "provider/body_reader.h"
#include "provider/body_scan.h"
#include "provider/exporter.h"
#include "provider/extract_signals.h"
#include "provider/rfc3339.h"

namespace apiquota::cli {
namespace {

constexpr int kUnderstood = 0;
constexpr int kUnreadable = 2;
constexpr int kNothingSaid = 3;
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

// Host and path of an http or https URL, as an Exchange has them.
Status ParseUrl(const std::string& url, http::Exchange* exchange) {
  if (url.empty()) return {};
  const size_t scheme = url.find("://");
  const std::string_view name = std::string_view(url).substr(0, scheme);
  if (scheme == std::string::npos || !(EqualsIgnoreCase(name, "http") || EqualsIgnoreCase(name, "https"))) {
    return Fail("--request-url: expected a URL such as https://api.github.com/user");
  }
  const std::string_view rest = std::string_view(url).substr(scheme + 3);
  const size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  exchange->host = HostWithoutPort(rest.substr(0, path));
  const std::string_view target = rest.substr(path);
  exchange->path = std::string(target.substr(0, target.find_first_of("?#")));
  if (exchange->path == "/") exchange->path.clear();  // an origin tells of a host, and of no path
  return {};
}

// What the input tells of the request and the response; --request-url and --now know better.
Result<http::Exchange> ToExchange(const ExplainOptions& options, SystemTime clock_now,
                                  PrintedExchange* printed) {
  http::Exchange exchange;
  exchange.host = std::move(printed->host);
  exchange.path = std::move(printed->path);
  if (auto parsed = ParseUrl(options.request_url, &exchange); !parsed) return std::unexpected(parsed.error());
  exchange.status = printed->status;
  exchange.fields = std::move(printed->fields);
  exchange.date = http::ParseHttpDate(exchange.fields.Find("date").value_or(""), clock_now);
  exchange.received_at = exchange.date.value_or(clock_now);
  if (!options.now.empty()) {
    const auto now = ParseNow(options.now);
    if (!now) return std::unexpected(now.error());
    exchange.received_at = *now;
  }
  return exchange;
}

struct Choice {
  provider::ExporterPtr exporter;
  expose::Recognition recognition = expose::Recognition::kNamed;
};

Result<Choice> ChooseExporter(const ExplainOptions& options, const http::Exchange& exchange) {
  if (!options.exporter.empty()) {
    const auto named = app::LoadExporterNamed(options.exporter, options.exporters_dir);
    if (!named) return std::unexpected(named.error());
    return Choice{*named, expose::Recognition::kNamed};
  }
  const auto catalogue = app::LoadCatalogue(options.exporters_dir);
  if (!catalogue) return std::unexpected(catalogue.error());
  const provider::ExporterPtr generic = catalogue->Detect("", {});
  const provider::ExporterPtr by_host = catalogue->Detect(exchange.host, {});
  if (by_host != generic) return Choice{by_host, expose::Recognition::kHost};
  const provider::ExporterPtr found = catalogue->Detect(exchange.host, exchange.fields);
  return Choice{found, found == generic ? expose::Recognition::kGeneric : expose::Recognition::kHeaders};
}

std::vector<http::BodyValue> Scan(const std::vector<std::string>& pointers, std::string_view body) {
  provider::BodyScanner scanner(pointers);
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

Result<expose::Explanation> Explain(const ExplainOptions& options, const Clock& clock, std::istream& in) {
  const bool from_stdin = options.file.empty() || options.file == "-";
  const auto text = from_stdin ? ReadStream(in, "standard input") : app::ReadWholeFile(options.file);
  if (!text) return std::unexpected(text.error());
  auto printed = ParsePrintedExchange(*text);
  if (!printed) return std::unexpected(printed.error());
  auto exchange = ToExchange(options, clock.SystemNow(), &*printed);
  if (!exchange) return std::unexpected(exchange.error());
  const auto choice = ChooseExporter(options, *exchange);
  if (!choice) return std::unexpected(choice.error());
  const provider::Exporter& exporter = *choice->exporter;
  exchange->request_body = Scan(Info(exporter).request_pointers, printed->request_body);
  ReadResponseBody(exporter, printed->body, &*exchange);
  return expose::Explanation{.exporter = Info(exporter).name,
                             .status = exchange->status,
                             .now = exchange->received_at,
                             .signals = ExtractSignals(exporter, *exchange),
                             .title = Info(exporter).title,
                             .recognition = choice->recognition,
                             .host = exchange->host};
}

}  // namespace

int RunExplain(const ExplainOptions& options, const Clock& clock, std::istream& in, std::ostream& out,
               std::ostream& err) {
  const auto complain = [&](const std::string& message) {
    err << "apiquota explain: " << message << "\n";
    return kUnreadable;
  };
  if (options.format != "text" && options.format != "json") {
    return complain("--format: expected text or json");
  }
  const auto explanation = Explain(options, clock, in);
  if (!explanation) return complain(explanation.error().message);
  out << (options.format == "json" ? ExplainAsJson(*explanation)
                                   : ExplainAsText(*explanation, options.colour));
  return expose::Understood(explanation->signals) ? kUnderstood : kNothingSaid;
}

}  // namespace apiquota::cli
