#include "cli/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "cli/exchange_reader.h"
#include "expose/explain.h"

namespace apiquota::cli {
namespace {

constexpr int kUnderstood = 0;
constexpr int kUnreadable = 2;
constexpr int kNothingSaid = 3;

using Json = nlohmann::ordered_json;

struct Explained {
  size_t entry;  // its number, as people count
  std::string request;
  expose::Explanation explanation;
};

// Enough to find it in the file. Bytes from outside that could move a cursor are shown as "?".
std::string RequestText(const PrintedExchange& printed) {
  std::string text = fmt::format("{} https://{}{}", printed.method, printed.host, printed.path);
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

bool SpeaksOfLimits(const provider::Signals& signals) {
  return expose::Understood(signals) || signals.retry_after_seconds || !signals.unread.empty();
}

// The exchanges that are explained: the only one, the one that was asked for, else all that speak of limits.
Result<std::vector<Explained>> Explain(const ExplainOptions& options, const Clock& clock, std::istream& in,
                                       size_t* entries) {
  const auto text = ReadInput(options.file, in);
  if (!text) return std::unexpected(text.error());
  const auto exchanges = ParseExchanges(*text);
  if (!exchanges) return std::unexpected(exchanges.error());
  *entries = exchanges->size();
  const bool several = exchanges->size() > 1 && options.entry == 0;
  if (options.entry > exchanges->size()) {
    return Fail(fmt::format("--entry: the input has {} of them", exchanges->size()));
  }
  if (several && !options.request_url.empty()) {
    return Fail("--request-url: the entries of a HAR file say their own; choose one with --entry");
  }
  const auto reader = ExchangeReader::For({.exporter = options.exporter,
                                           .request_url = options.request_url,
                                           .now = options.now,
                                           .exporters_dir = options.exporters_dir,
                                           .clock_now = clock.SystemNow()});
  if (!reader) return std::unexpected(reader.error());
  std::vector<Explained> explained;
  for (size_t i = 0; i < exchanges->size(); ++i) {
    const PrintedExchange& printed = (*exchanges)[i];
    if (options.entry > 0 && options.entry != i + 1) continue;
    if (printed.status == 0 && !several) return Fail(fmt::format("entry {} was never answered", i + 1));
    if (printed.status == 0) continue;
    expose::Explanation explanation = reader->Read(printed).explanation;
    if (several && !SpeaksOfLimits(explanation.signals)) continue;
    explained.push_back({i + 1, RequestText(printed), std::move(explanation)});
  }
  return explained;
}

std::string SeveralAsJson(const std::vector<Explained>& explained) {
  Json list = Json::array();
  for (const Explained& one : explained) {
    Json json = {{"entry", one.entry}, {"request", one.request}};
    const Json said = Json::parse(ExplainAsJson(one.explanation));
    for (const auto& [name, value] : said.items()) json[name] = value;
    list.push_back(std::move(json));
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string SeveralAsText(const std::vector<Explained>& explained, size_t entries, bool colour) {
  if (explained.empty()) return fmt::format("none of {} entries speaks of limits\n", entries);
  std::string text;
  for (const Explained& one : explained) {
    text += fmt::format("{}entry {}: {}\n{}", text.empty() ? "" : "\n", one.entry, one.request,
                        ExplainAsText(one.explanation, colour));
  }
  return text;
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
  size_t entries = 0;
  const auto explained = Explain(options, clock, in, &entries);
  if (!explained) return complain(explained.error().message);
  const bool json = options.format == "json";
  if (entries > 1 && options.entry == 0) {
    out << (json ? SeveralAsJson(*explained) : SeveralAsText(*explained, entries, options.colour));
  } else {
    const expose::Explanation& explanation = explained->front().explanation;
    out << (json ? ExplainAsJson(explanation) : ExplainAsText(explanation, options.colour));
  }
  const auto understood = [](const Explained& one) { return expose::Understood(one.explanation.signals); };
  return std::ranges::any_of(*explained, understood) ? kUnderstood : kNothingSaid;
}

}  // namespace apiquota::cli
