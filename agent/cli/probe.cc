#include "cli/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <variant>

#include "cli/ask.h"
#include "cli/probe_target.h"
#include "expose/explain.h"
#include "http/date.h"
#include "poll/poll_verdict.h"
#include "provider/body_reader.h"
#include "provider/extract_signals.h"

namespace apiquota::cli {
namespace {

constexpr int kUnderstood = 0;
constexpr int kBadOptions = 2;
constexpr int kNothingSaid = 3;
constexpr int kNoAnswer = 4;

using Json = nlohmann::ordered_json;
struct Failure {
  std::string_view label;
  std::string detail;
};
using Outcome = std::variant<expose::Explanation, Failure>;

// The headers of the answer may tell more than the host did.
expose::Recognition Recognise(const provider::Catalogue& exporters, const http::Exchange& exchange,
                              ProbeTarget* target) {
  if (target->exporter_named) return expose::Recognition::kNamed;
  const provider::ExporterPtr generic = exporters.Detect("", {});
  if (target->exporter != generic) return expose::Recognition::kHost;
  target->exporter = exporters.Detect(exchange.host, exchange.fields);
  return target->exporter == generic ? expose::Recognition::kGeneric : expose::Recognition::kHeaders;
}

Outcome Understand(const provider::Catalogue& exporters, ProbeTarget target,
                   const net::ClientResult& result) {
  if (result.error) return Failure{Info(poll::FailureOf(result)).label, poll::FailureDetail(result)};
  http::Exchange exchange;
  exchange.method = target.request.method;
  exchange.host = target.host;
  exchange.path = target.path;
  exchange.status = result.status;
  exchange.fields = result.fields;
  exchange.received_at = result.head_at.at;
  exchange.date = http::ParseHttpDate(exchange.fields.Find("date").value_or(""), result.head_at.at);
  exchange.door = http::Door::kPoll;
  const expose::Recognition recognition = Recognise(exporters, exchange, &target);
  if (auto reader = provider::BodyReader::For(*target.exporter, exchange)) {
    reader->Write(result.body);
    reader->TakeInto(&exchange);
  }
  return expose::Explanation{.exporter = Info(*target.exporter).name,
                             .status = result.status,
                             .now = result.head_at.at,
                             .signals = ExtractSignals(*target.exporter, exchange),
                             .title = Info(*target.exporter).title,
                             .recognition = recognition,
                             .host = target.host};
}

std::string AsText(const ProbeTarget& target, const Answer& answer, const Outcome& outcome, bool colour) {
  const std::string url = target.request.url.substr(0, target.request.url.find('?'));
  const std::string title = target.name == url ? url : fmt::format("{}: {}", target.name, url);
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    return fmt::format("{}\n  no answer ({}): {}\n", title, failure->label, failure->detail);
  }
  const auto& explanation = std::get<expose::Explanation>(outcome);
  return fmt::format("{} answered {} in {:.0f} ms\n{}", title, explanation.status,
                     ToSeconds(answer.duration) * 1000, ExplainAsText(explanation, colour));
}

// The contract of `explain`, or why there was no answer; where several were asked, with the target's name.
Json AsJson(const ProbeTarget& target, const Outcome& outcome, bool several) {
  Json json = Json::object();
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    json = {{"target", target.name}, {"error", failure->label}, {"detail", failure->detail}};
    return json;
  }
  if (several) json["target"] = target.name;
  const Json explained = Json::parse(ExplainAsJson(std::get<expose::Explanation>(outcome)));
  for (const auto& [name, value] : explained.items()) json[name] = value;
  return json;
}

int ExitCode(const std::vector<Outcome>& outcomes) {
  int code = kUnderstood;
  for (const Outcome& outcome : outcomes) {
    const auto* explanation = std::get_if<expose::Explanation>(&outcome);
    if (explanation == nullptr) return kNoAnswer;
    if (!expose::Understood(explanation->signals)) code = kNothingSaid;
  }
  return code;
}

}  // namespace

int RunProbe(const ProbeOptions& options, const Clock& clock, std::ostream& out, std::ostream& err) {
  const auto complain = [&](const std::string& message) {
    err << "apiquota probe: " << message << "\n";
    return kBadOptions;
  };
  if (options.format != "text" && options.format != "json") {
    return complain("--format: expected text or json");
  }
  const auto plan = PlanProbe(options);
  if (!plan) return complain(plan.error().message);
  const net::HttpClientOptions client = ClientOptions(plan->tls, options.version, options.timeout);
  std::vector<net::ClientRequest> requests;
  for (const ProbeTarget& target : plan->targets) requests.push_back(target.request);
  const std::vector<Answer> answers = AskAll(std::move(requests), client, clock);

  const bool several = plan->targets.size() > 1;
  std::vector<Outcome> outcomes;
  Json list = Json::array();
  for (size_t i = 0; i < answers.size(); ++i) {
    const ProbeTarget& target = plan->targets[i];
    outcomes.push_back(Understand(plan->exporters, target, answers[i].result));
    if (options.format == "json") {
      list.push_back(AsJson(target, outcomes.back(), several));
    } else {
      out << (i > 0 ? "\n" : "") << AsText(target, answers[i], outcomes.back(), options.colour);
    }
  }
  if (options.format == "json") out << (several ? list : list.front()).dump(2) << "\n";
  return ExitCode(outcomes);
}

}  // namespace apiquota::cli
