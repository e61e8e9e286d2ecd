#include "cli/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <istream>
#include <ostream>
#include <string_view>
#include <utility>

#include "cli/ask.h"
#include "cli/exchange_reader.h"
#include "cli/probe_target.h"
#include "cli/redact.h"
#include "expose/explain.h"
#include "poll/poll_verdict.h"
#include "provider/rfc3339.h"

namespace apiquota::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kWritten = 0;
constexpr int kRefused = 2;
constexpr int kNothingSaid = 3;
constexpr int kNoAnswer = 4;

struct Refusal {
  int code = kRefused;
  std::string sentence;
};
template <class T>
using Outcome = std::expected<T, Refusal>;

std::unexpected<Refusal> Refuse(std::string sentence, int code = kRefused) {
  return std::unexpected(Refusal{code, std::move(sentence)});
}

Outcome<PrintedExchange> AskNow(const RecordOptions& options, const Clock& clock) {
  if (options.url.find("://") == std::string::npos) {
    return Refuse("URL: expected one such as https://api.example.com/v1/models");
  }
  ProbeOptions probe;
  probe.targets = {options.url};
  probe.exporter = options.exporter;
  probe.headers = options.headers;
  probe.key_from_env = options.key_from_env;
  probe.method = options.method;
  probe.exporters_dir = options.exporters_dir;
  const auto plan = PlanProbe(probe);
  if (!plan) return Refuse(plan.error().message);
  const net::HttpClientOptions client = ClientOptions(plan->tls, options.version, options.timeout);
  const net::ClientRequest request = plan->targets.front().request;
  const net::ClientResult result = std::move(AskAll({request}, client, clock).front().result);
  if (result.error) {
    return Refuse(
        fmt::format("no answer ({}): {}", Info(poll::FailureOf(result)).label, poll::FailureDetail(result)),
        kNoAnswer);
  }
  PrintedExchange exchange;
  exchange.method = request.method;
  SetTarget(request.url, &exchange);
  for (const auto& [name, value] : request.fields) exchange.request_fields.Add(name, value);
  exchange.status = result.status;
  exchange.fields = result.fields;
  exchange.body = result.body;
  exchange.received_at = result.head_at.at;
  return exchange;
}

// The entry that is meant: the one that was asked for, else the only one that speaks of limits.
Outcome<PrintedExchange> Choose(std::vector<PrintedExchange> exchanges, const RecordOptions& options,
                                const ExchangeReader& reader) {
  if (options.entry > exchanges.size()) {
    return Refuse(fmt::format("--entry: the input has {} of them", exchanges.size()));
  }
  std::vector<size_t> found;
  for (size_t i = 0; i < exchanges.size(); ++i) {
    if (exchanges[i].status == 0) continue;
    const bool only = exchanges.size() == 1 || options.entry == i + 1;
    if (options.entry > 0 && !only) continue;
    if (only || expose::Understood(reader.Read(exchanges[i]).explanation.signals)) found.push_back(i + 1);
  }
  if (found.size() == 1) return std::move(exchanges[found.front() - 1]);
  if (options.entry > 0 || exchanges.size() == 1) return Refuse("--entry: this one was never answered");
  if (found.empty()) return Refuse("no entry of the HAR file speaks of limits; choose one with --entry");
  constexpr size_t kNamed = 12;
  const bool more = found.size() > kNamed;
  found.resize(std::min(found.size(), kNamed));
  return Refuse(fmt::format("entries {}{} of the HAR file speak of limits; choose one with --entry",
                            fmt::join(found, ", "), more ? ", …" : ""));
}

Outcome<PrintedExchange> ReadAnswer(const RecordOptions& options, const ExchangeReader& reader,
                                    std::istream& in) {
  const auto text = ReadInput(options.file, in);
  if (!text) return Refuse(text.error().message);
  auto exchanges = ParseExchanges(*text);
  if (!exchanges) return Refuse(exchanges.error().message);
  auto chosen = Choose(std::move(*exchanges), options, reader);
  if (!chosen) return chosen;
  if (!options.request_url.empty()) SetTarget(options.request_url, &*chosen);
  if (chosen->host.empty()) {
    return Refuse("the input does not say what was asked for: say --request-url");
  }
  if (chosen->method.empty()) chosen->method = options.method.empty() ? "GET" : options.method;
  return chosen;
}

bool IsCaseName(std::string_view name) {
  constexpr size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// The first mistake of the options; nothing has been asked or read yet.
Status Check(const RecordOptions& options) {
  if (!options.url.empty() && (!options.file.empty() || options.entry > 0 || !options.request_url.empty())) {
    return Fail("expected a URL to ask, or an answer to read (--input, --entry, --request-url), not both");
  }
  const bool asks = !options.headers.empty() || !options.key_from_env.empty();
  if (options.url.empty() && asks) return Fail("-H and --key-from-env are for a URL that is asked");
  if (!options.name.empty() && !IsCaseName(options.name)) {
    return Fail("--case: expected a name of lower-case letters, digits and -");
  }
  const auto line_break = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  const bool known =
      options.source.starts_with("documented: https://") || options.source.starts_with("inferred");
  if (!options.source.empty() && (!known || std::ranges::any_of(options.source, line_break))) {
    return Fail("--source: expected \"documented: https://…\" or \"inferred …\"");
  }
  return {};
}

std::string Folder(const RecordOptions& options) {
  if (!options.folder.empty()) return options.folder;
  std::error_code none;
  const fs::path tree = "tests/providers";
  return fs::is_directory(tree, none) ? (tree / options.exporter).string() : ".";
}

Status WriteNew(const fs::path& path, std::string_view text, bool force) {
  const auto mode = std::ios::binary | std::ios::out | (force ? std::ios::trunc : std::ios::noreplace);
  std::ofstream file(path, mode);
  file << text;
  file.close();
  return file ? Status() : Fail(fmt::format("cannot write {}", path.string()));
}

Status WriteBoth(const fs::path& http, const std::string& recording, const std::string& json, bool force) {
  const fs::path expected = fs::path(http).replace_extension(".json");
  std::error_code error;
  for (const fs::path& path : {http, expected}) {
    if (!force && fs::exists(fs::symlink_status(path, error))) {
      return Fail(fmt::format("{} is there already: choose another --case, or --force", path.string()));
    }
  }
  fs::create_directories(http.parent_path(), error);
  if (error) return Fail(fmt::format("cannot make {}: {}", http.parent_path().string(), error.message()));
  if (const Status written = WriteNew(http, recording, force); !written) return written;
  return WriteNew(expected, json, force);
}

// What a person should know beside the reading.
std::string Advice(bool same) {
  std::string text = "Look through both before you share them: names that people chose look like any word.\n";
  if (same) return text;
  return text +
         "The answer itself was read otherwise: something a rule reads was taken for an identifier, or "
         "stands "
         "where recordings keep nothing.\n";
}

// An exporter that is not there may be one that is to be written.
std::string WithAdvice(const std::string& message) {
  constexpr std::string_view kUnknown = "unknown exporter";
  if (!message.starts_with(kUnknown)) return message;
  const bool slip = message.find("did you mean") != std::string::npos;
  return fmt::format(
      "NAME: {}; a new API needs its file first: exporters/NAME.yaml, and --exporters.dir exporters",
      slip ? std::string_view(message) : kUnknown);
}

struct Recorded {
  fs::path http;
  expose::Explanation explanation;
  bool same = true;  // read as the answer itself was
};

Outcome<Recorded> Record(const RecordOptions& options, const Clock& clock, std::istream& in) {
  if (const Status good = Check(options); !good) return Refuse(good.error().message);
  ExchangeReader::Options reading{.exporter = options.exporter,
                                  .request_url = options.request_url,
                                  .exporters_dir = options.exporters_dir,
                                  .clock_now = clock.SystemNow()};
  auto reader = ExchangeReader::For(reading);
  if (!reader) return Refuse(WithAdvice(reader.error().message));
  const auto printed = options.url.empty() ? ReadAnswer(options, *reader, in) : AskNow(options, clock);
  if (!printed) return std::unexpected(printed.error());
  const ExchangeReader::Reading original = reader->Read(*printed);
  const SystemTime now = original.explanation.now;
  const std::string day = provider::FormatRfc3339(now).substr(0, 10);
  const std::string source = !options.source.empty() ? options.source
                             : options.url.empty()   ? "inferred from an answer of " + day
                                                     : "inferred from a live answer of " + day;
  const std::string recording =
      RedactedRecording(*original.exporter, *printed, {source, now, original.explanation.signals.unread});
  const auto again = ParsePrintedExchange(recording);
  if (!again) return Refuse("the answer can't be written as a recording: " + again.error().message);
  reading.request_url.clear();
  reader = ExchangeReader::For(reading);
  if (!reader) return Refuse(reader.error().message);
  Recorded recorded{{}, reader->Read(*again).explanation, true};
  const std::string json = ExplainAsJson(recorded.explanation);
  expose::Explanation was = original.explanation;
  recorded.same = was.signals.readings == recorded.explanation.signals.readings &&
                  was.signals.throttle == recorded.explanation.signals.throttle &&
                  was.signals.retry_after_seconds == recorded.explanation.signals.retry_after_seconds;
  const bool throttled = recorded.explanation.signals.throttle.has_value();
  const std::string name = !options.name.empty() ? options.name : throttled ? "throttled" : "ordinary";
  recorded.http = fs::path(Folder(options)) / (name + ".http");
  if (const Status written = WriteBoth(recorded.http, recording, json, options.force); !written) {
    return Refuse(written.error().message);
  }
  return recorded;
}

}  // namespace

int RunRecord(const RecordOptions& options, const Clock& clock, std::istream& in, std::ostream& out,
              std::ostream& err) {
  const auto recorded = Record(options, clock, in);
  if (!recorded) {
    err << "apiquota record: " << recorded.error().sentence << "\n";
    return recorded.error().code;
  }
  out << fmt::format("wrote {} and {}\n{}{}", recorded->http.string(),
                     fs::path(recorded->http).replace_extension(".json").string(),
                     ExplainAsText(recorded->explanation, false), Advice(recorded->same));
  return expose::Understood(recorded->explanation.signals) ? kWritten : kNothingSaid;
}

}  // namespace apiquota::cli
