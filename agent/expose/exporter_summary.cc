#include "expose/exporter_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "provider/exporter_rules.h"

namespace apiquota::expose {
namespace {

using Json = nlohmann::ordered_json;

// The first few, then how many more.
std::string Few(const std::vector<std::string>& words) {
  constexpr size_t kShown = 3;
  if (words.size() <= kShown + 1) return fmt::format("{}", fmt::join(words, ", "));
  return fmt::format("{}, {} more", fmt::join(words.begin(), words.begin() + kShown, ", "),
                     words.size() - kShown);
}

}  // namespace

ExporterSummary Summarize(const provider::Exporter& exporter) {
  ExporterSummary summary{.card = CardOf(exporter),
                          .title = exporter.info.title,
                          .docs = exporter.info.docs,
                          .charges_tokens = exporter.info.charge.has_value(),
                          .refusal = exporter.refusal.has_value(),
                          .not_modified_is_free = exporter.info.not_modified_is_free};
  for (const provider::QuotaRule& rule : exporter.quotas) {
    if (std::ranges::find(summary.quotas, rule.quota) == summary.quotas.end()) {
      summary.quotas.push_back(rule.quota);
    }
  }
  return summary;
}

bool CountRecording(std::string_view first_line, ExporterSummary* summary) {
  if (first_line.starts_with("# source: documented: ")) {
    ++summary->documented;
  } else if (first_line.starts_with("# source: inferred")) {
    ++summary->inferred;
  } else {
    return false;
  }
  return true;
}

std::string SummariesAsJson(const std::vector<ExporterSummary>& summaries) {
  Json list = Json::array();
  for (const ExporterSummary& summary : summaries) {
    const provider::ExporterCard& card = summary.card;
    list.push_back({{"name", card.name},
                    {"title", summary.title},
                    {"docs", summary.docs},
                    {"hosts", card.hosts},
                    {"self_hosted", card.self_hosted},
                    {"base_url", card.base_url},
                    {"not_proxyable", card.not_proxyable},
                    {"credential", card.credential},
                    {"polled", card.polled},
                    {"detect", card.detect},
                    {"charges_tokens", summary.charges_tokens},
                    {"refusal", summary.refusal},
                    {"not_modified_is_free", summary.not_modified_is_free},
                    {"quotas", summary.quotas},
                    {"recordings", {{"documented", summary.documented}, {"inferred", summary.inferred}}}});
  }
  return Json{{"exporters", std::move(list)}}.dump(2) + "\n";
}

Result<std::vector<ExporterSummary>> ReadSummaries(std::string_view json) {
  std::vector<ExporterSummary> summaries;
  try {
    const Json document = Json::parse(json);
    for (const Json& entry : document.at("exporters")) {
      const Json& recordings = entry.at("recordings");
      summaries.push_back({.card = {.name = entry.at("name"),
                                    .hosts = entry.at("hosts"),
                                    .self_hosted = entry.at("self_hosted"),
                                    .base_url = entry.at("base_url"),
                                    .not_proxyable = entry.at("not_proxyable"),
                                    .credential = entry.at("credential"),
                                    .polled = entry.at("polled"),
                                    .detect = entry.at("detect")},
                           .title = entry.at("title"),
                           .docs = entry.at("docs"),
                           .charges_tokens = entry.at("charges_tokens"),
                           .refusal = entry.at("refusal"),
                           .not_modified_is_free = entry.at("not_modified_is_free"),
                           .quotas = entry.at("quotas"),
                           .documented = recordings.at("documented"),
                           .inferred = recordings.at("inferred")});
    }
  } catch (const Json::exception& exception) {
    return Fail(fmt::format("not a list of exporters: {}", exception.what()));
  }
  return summaries;
}

std::string SummariesAsText(const std::vector<ExporterSummary>& summaries) {
  size_t name_width = 0, title_width = 0, hosts_width = 0, quotas_width = 0;
  int documented = 0, inferred = 0;
  for (const ExporterSummary& summary : summaries) {
    name_width = std::max(name_width, summary.card.name.size());
    title_width = std::max(title_width, summary.title.size());
    hosts_width = std::max(hosts_width, Few(summary.card.hosts).size());
    quotas_width = std::max(quotas_width, Few(summary.quotas).size());
    documented += summary.documented;
    inferred += summary.inferred;
  }
  std::string text;
  for (const ExporterSummary& summary : summaries) {
    std::string line =
        fmt::format("{:{}}  {:{}}  {:{}}  {:{}}  {:>2}+{:<2}  {}", summary.card.name, name_width,
                    summary.title, title_width, Few(summary.card.hosts), hosts_width, Few(summary.quotas),
                    quotas_width, summary.documented, summary.inferred, summary.docs);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text + fmt::format("{} exporters, held to {} recordings from documentation and {} inferred ones\n",
                            summaries.size(), documented, inferred);
}

}  // namespace apiquota::expose
