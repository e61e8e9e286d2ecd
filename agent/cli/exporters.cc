#include "cli/exporters.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "app/catalogue.h"
#include "base/embedded.h"
#include "cli/exporter_page.h"
#include "expose/exporter_summary.h"
#include "expose/grammar_text.h"

namespace apiquota::cli {
namespace {

using expose::ExporterSummary;

const std::string& NameOf(const ExporterSummary& summary) { return summary.card.name; }

// The list made at build time; files of `folder` add to it or stand in for one of it, without recordings.
Result<std::vector<ExporterSummary>> LoadSummaries(const std::string& folder) {
  auto summaries = expose::ReadSummaries(Embedded_exporter_index().front().text);
  if (!summaries || folder.empty()) return summaries;
  const auto own = app::LoadFolder(folder);
  if (!own) return std::unexpected(own.error());
  for (const provider::ExporterPtr& exporter : own->All()) {
    ExporterSummary summary = expose::Summarize(*exporter);
    const auto same = std::ranges::find(*summaries, summary.card.name, NameOf);
    if (same == summaries->end()) {
      summaries->push_back(std::move(summary));
    } else {
      *same = std::move(summary);
    }
  }
  std::ranges::sort(*summaries, {}, NameOf);
  return summaries;
}

Result<std::string> Shown(const ExportersOptions& options) {
  if (options.schema || options.keys) {
    if (!options.name.empty() || options.schema == options.keys) {
      return Fail("expected --schema or --keys alone: they speak of all exporter files");
    }
    return options.schema ? expose::GrammarAsSchema() : expose::GrammarAsTables();
  }
  const bool json = options.format == "json";
  if (!json && options.format != "text") {
    return Fail("--format: expected text or json");
  }
  provider::ExporterPtr exporter;
  if (!options.name.empty()) {
    auto found = app::LoadExporterNamed(options.name, options.exporters_dir);
    if (!found) return std::unexpected(found.error());
    exporter = std::move(*found);
  }
  auto summaries = LoadSummaries(options.exporters_dir);
  if (!summaries) return std::unexpected(summaries.error());
  if (exporter == nullptr)
    return json ? expose::SummariesAsJson(*summaries) : expose::SummariesAsText(*summaries);
  const auto summary = std::ranges::find(*summaries, Info(*exporter).name, NameOf);
  if (json) return expose::SummariesAsJson({*summary});
  return ExporterPage(*exporter, *summary);
}

}  // namespace

int RunExporters(const ExportersOptions& options, std::ostream& out, std::ostream& err) {
  const auto shown = Shown(options);
  if (!shown) {
    err << "apiquota exporters: " << shown.error().message << "\n";
    return 2;
  }
  out << *shown;
  return 0;
}

}  // namespace apiquota::cli
