#include "cli/exporter_page.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/text.h"
#include "config/config.h"
#include "provider/exporter_rules.h"

namespace apiquota::cli {
namespace {

using provider::Condition;
using provider::ExporterInfo;
using provider::FieldSource;
using provider::QuotaRule;
using provider::ResourceRule;
using provider::SignalField;
using provider::ThrottleRule;
using provider::WindowRule;

// Lines "  name  value" with the values under each other; a name that repeats is said once.
class Lines {
 public:
  explicit Lines(std::string indent) : indent_(std::move(indent)) {}
  void Add(std::string name, std::string value) {
    if (!value.empty()) lines_.emplace_back(std::move(name), std::move(value));
  }
  std::string Text() const {
    size_t width = 0;
    for (const auto& [name, value] : lines_) width = std::max(width, name.size());
    std::string text;
    std::string_view last;
    for (const auto& [name, value] : lines_) {
      text += fmt::format("{}{:{}}  {}\n", indent_, name == last ? "" : name, width, value);
      last = name;
    }
    return text;
  }

 private:
  std::string indent_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

std::string SpanText(double seconds) { return FormatDuration(SecondsToMicros(seconds)); }

std::string CredentialText(const provider::CredentialRule& rule) {
  if (!rule.query.empty()) return "parameter " + rule.query + " of the query";
  if (rule.part != provider::CredentialPart::kWhole) {
    const bool user = rule.part == provider::CredentialPart::kUser;
    return fmt::format("header {}: {} …, its {}", rule.header, rule.scheme, user ? "user" : "password");
  }
  const std::string claim = rule.claim.empty() ? "" : ", by its claim " + rule.claim;
  return fmt::format("header {}{}{}", rule.header, rule.scheme.empty() ? "" : ": " + rule.scheme + " …",
                     claim);
}

std::string ResourceText(const ResourceRule& rule) {
  switch (rule.from) {
    case ResourceRule::From::kHeader:
      return "named by header " + rule.name;
    case ResourceRule::From::kRequestBody:
      return fmt::format("named by {} in the request's body", rule.name);
    case ResourceRule::From::kResponseBody:
      return fmt::format("named by {} in the response's body", rule.name);
    case ResourceRule::From::kPath:
      break;
  }
  if (rule.value.empty()) return fmt::format("named by the path, at the * of {}", rule.name);
  return fmt::format("{} for paths below {}", rule.value, rule.name);
}

std::string PollText(const provider::PollRule& poll) {
  const std::string cost =
      poll.cost_unit.empty() ? "free of charge" : fmt::format("costs {} {}", poll.cost, poll.cost_unit);
  return fmt::format("{} {}, {}", poll.method, poll.path, cost);
}

// What a client is given in place of the API's own base URL, where nothing was configured.
std::string YourBaseUrl(const ExporterInfo& info) {
  if (!info.not_proxyable.empty()) return "";
  const std::string url = "http://" + net::ToText(config::Config{}.proxy.listen) + "/" + info.name;
  return info.base_url.empty() ? url + ", once an api with its base_url is configured" : url;
}

std::string About(const ExporterInfo& info, const provider::Exporter& exporter,
                  const expose::ExporterSummary& summary) {
  Lines lines("  ");
  lines.Add("documentation", info.docs);
  lines.Add("hosts", fmt::format("{}", fmt::join(info.hosts, ", ")));
  lines.Add("base URL", info.base_url);
  lines.Add("your base URL", YourBaseUrl(info));
  lines.Add("not proxied", info.not_proxyable);
  for (const auto& rule : info.credentials) lines.Add("credential", CredentialText(rule));
  for (const ResourceRule& rule : exporter.resources) lines.Add("resource", ResourceText(rule));
  lines.Add("addresses in", fmt::format("{}", fmt::join(info.links, ", ")));
  lines.Add("recognised by", fmt::format("{}", fmt::join(exporter.detect, ", ")));
  if (info.poll) lines.Add("asked by", PollText(*info.poll));
  lines.Add("recordings",
            fmt::format("{} from documentation, {} inferred", summary.documented, summary.inferred));
  return lines.Text();
}

std::string_view WindowText(WindowRule rule) {
  switch (rule) {
    case WindowRule::kDerived:
      return "computed from how fast it fills";
    case WindowRule::kFromName:
      return "from the quota's name";
    case WindowRule::kSaid:
      break;
  }
  return "";
}

std::string ConditionText(const Condition& condition) {
  constexpr std::string_view kPlaces[] = {"header", "body", "event"};
  const std::string where = fmt::format("{} {}", kPlaces[static_cast<size_t>(condition.on)], condition.name);
  switch (condition.test) {
    case Condition::Test::kEquals:
      return fmt::format("{} is \"{}\"", where, condition.text);
    case Condition::Test::kContains:
      return fmt::format("{} contains \"{}\"", where, condition.text);
    case Condition::Test::kPresent:
      break;
  }
  return where + " is there";
}

std::string WhenText(const provider::When& when) {
  std::vector<std::string> parts;
  if (!when.statuses.empty()) parts.push_back(fmt::format("status {}", fmt::join(when.statuses, " or ")));
  if (!when.path.empty()) parts.push_back("path below " + when.path);
  for (const Condition& condition : when.headers) parts.push_back(ConditionText(condition));
  if (when.events) parts.emplace_back("in a stream's events");
  return fmt::format("{}", fmt::join(parts, ", "));
}

// "header x-limits, element 2, behind \"left=\" (decimal)": where one thing is said, and how.
std::string SourceText(const FieldSource& source) {
  if (source.from == FieldSource::From::kConstant) return FormatNumber(source.constant) + ", as documented";
  std::vector<std::string_view> formats;
  formats.reserve(source.formats.size());
  for (const provider::Format format : source.formats) formats.push_back(ToText(format));
  std::string where =
      fmt::format("{} {}", source.from == FieldSource::From::kHeader ? "header" : "body", source.name);
  if (!source.pointer.empty()) where += ", JSON at " + source.pointer;
  if (!source.named_by.empty()) where += ", named by " + source.named_by;
  if (source.item > 0) where += fmt::format(", element {}", source.item);
  if (!source.item_with.empty()) where += ", element with " + source.item_with;
  if (!source.field.empty()) where += fmt::format(", behind \"{}=\"", source.field);
  for (const std::string& lead : source.after) where += fmt::format(", behind \"{}\"", lead);
  return fmt::format("{} ({})", where, fmt::join(formats, ", "));
}

std::string QuotaText(const QuotaRule& rule) {
  std::string unit = rule.unit;
  for (const provider::UnitWord& word : rule.units) {
    if (word.unit != rule.unit) unit += fmt::format(", {} where the name has \"{}\"", word.unit, word.word);
  }
  std::string text = fmt::format("\n  {} ({}; {})\n", rule.quota, unit, ToText(rule.kind));
  Lines lines("    ");
  lines.Add("where", WhenText(rule.when));
  for (size_t f = 0; f < rule.sources.size(); ++f) {
    const SignalField field = provider::kQuotaFields[f];
    for (const FieldSource& source : rule.sources[f]) {
      const bool window = field == SignalField::kWindow && source.from == FieldSource::From::kConstant;
      lines.Add(std::string(ToText(field)), window ? SpanText(source.constant) : SourceText(source));
    }
  }
  lines.Add("window", std::string(WindowText(rule.window_rule)));
  if (!rule.status_header.empty())
    lines.Add("status", "header " + rule.status_header + " (structured field)");
  if (!rule.policy_header.empty())
    lines.Add("policy", "header " + rule.policy_header + " (structured field)");
  for (const provider::ResourceException& other : rule.by_resource) {
    const bool renamed = other.quota != rule.quota || other.unit != rule.unit;
    std::vector<std::string> differences;
    if (renamed) differences.push_back(fmt::format("{} ({})", other.quota, other.unit));
    if (other.window_seconds) differences.push_back("window " + SpanText(*other.window_seconds));
    lines.Add("of " + other.resource, fmt::format("{}", fmt::join(differences, ", ")));
  }
  return text + lines.Text();
}

std::string Throttles(const std::vector<ThrottleRule>& rules) {
  Lines lines("  ");
  for (const ThrottleRule& rule : rules) {
    lines.Add(std::string(ToText(rule.scope)), WhenText({rule.statuses, rule.path, rule.conditions}));
  }
  return lines.Text();
}

std::string Spent(const std::vector<provider::UsageRule>& rules) {
  Lines lines("  ");
  for (const provider::UsageRule& rule : rules) {
    for (const std::string& pointer : rule.pointers) {
      const std::string within = rule.within ? fmt::format(", counted in {}, too", ToText(*rule.within)) : "";
      lines.Add(fmt::format("{} tokens", ToText(rule.type)), fmt::format("body {}{}", pointer, within));
    }
  }
  return lines.Text();
}

std::string ChargeText(const provider::QuotaCharge& charge) {
  constexpr std::string_view kSides[] = {"input", "output", "input and output"};
  constexpr std::string_view kCaps[] = {", a cap added to the input",
                                        ", a cap where it is more than the input", ""};
  return fmt::format(
      "{}{}{}", kSides[static_cast<size_t>(charge.counts)],
      charge.counts == provider::TokenSide::kInput ? "" : kCaps[static_cast<size_t>(charge.cap)],
      charge.cached_free ? "; cached input is free" : "");
}

// How a request counts before it is answered, and what is free.
std::string Charges(const ExporterInfo& info) {
  constexpr std::string_view kTimes[] = {"by an estimate when the request begins, which is not set right",
                                         "by an estimate when the request begins, then by the real count",
                                         "by the real count when the request ends"};
  Lines lines("  ");
  if (info.charge) {
    const provider::ChargeRule& rule = *info.charge;
    lines.Add("tokens count", ChargeText(rule.charge));
    for (const auto& named : rule.by_quota) lines.Add("of " + named.quota, ChargeText(named.charge));
    lines.Add("charged", std::string(kTimes[static_cast<size_t>(rule.when)]));
    lines.Add("caps", fmt::format("{}", fmt::join(rule.caps, ", ")));
    lines.Add("answers", fmt::format("{}", fmt::join(rule.times, ", ")));
    if (rule.media > 0) lines.Add("media", fmt::format("{} tokens a piece", FormatNumber(rule.media)));
  }
  if (info.not_modified_is_free) lines.Add("free", "answers 304");
  if (info.batch)
    lines.Add("batches", fmt::format("{}, of {}", info.batch->endpoint, fmt::join(info.batch->paths, ", ")));
  return lines.Text();
}

std::string Refusal(const provider::Exporter& exporter) {
  if (!exporter.refusal) return "";
  const provider::RefusalBody body = RenderRefusal(exporter, {.message = "…", .quota = "…", .rule = "…"});
  Lines lines("  ");
  lines.Add("refused as", fmt::format("{} {}", body.status, body.body));
  return lines.Text();
}

}  // namespace

std::string ExporterPage(const provider::Exporter& exporter, const expose::ExporterSummary& summary) {
  const ExporterInfo& info = exporter.info;
  std::string text = fmt::format("{} ({})\n", info.title, info.name) + About(info, exporter, summary);
  text += "\nquotas\n";
  for (const QuotaRule& rule : exporter.quotas) text += QuotaText(rule);
  if (!exporter.throttles.empty())
    text += "\nthrottled, by which limit and when\n" + Throttles(exporter.throttles);
  Lines waits("  ");
  for (const FieldSource& source : exporter.retry_after) waits.Add("retry after", SourceText(source));
  text += "\n" + waits.Text();
  for (const std::string& part : {Spent(exporter.usage), Charges(info), Refusal(exporter)}) {
    if (!part.empty()) text += "\n" + part;
  }
  return text;
}

}  // namespace apiquota::cli
