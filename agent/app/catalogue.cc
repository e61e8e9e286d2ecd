#include "app/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/files.h"
#include "base/embedded.h"
#include "config/names.h"
#include "expose/exporter_summary.h"

namespace apiquota::app {

namespace {

Status AddFolder(const std::string& folder, provider::Catalogue* catalogue) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".yaml") paths.push_back(entry->path());
  }
  if (error) return Fail(fmt::format("--exporters.dir: cannot read the folder: {}", error.message()));
  std::ranges::sort(paths);
  std::map<std::string, std::string> files;  // by the exporters' names: each of a folder's is one file's
  for (const std::filesystem::path& path : paths) {
    const Result<std::string> text = ReadWholeFile(path.string());
    if (!text) return Fail(fmt::format("{}: {}", path.string(), text.error().message));
    const auto name = catalogue->Add(*text, path.string());
    if (!name) return std::unexpected(name.error());
    const auto [first, fresh] = files.emplace(*name, path.string());
    if (!fresh)
      return Fail(fmt::format("{}: \"{}\" is the name of {}, too", path.string(), *name, first->second));
  }
  return {};
}

// Once in a process: the list is a part of the program.
Result<provider::Catalogue> EmbeddedCatalogue() {
  static const Result<provider::Catalogue> kEmbedded = []() -> Result<provider::Catalogue> {
    auto summaries = expose::ReadSummaries(Embedded_exporter_index().front().text);
    if (!summaries) return std::unexpected(summaries.error());
    provider::Catalogue catalogue;
    for (expose::ExporterSummary& summary : *summaries) catalogue.AddEmbedded(std::move(summary.card));
    return catalogue;
  }();
  return kEmbedded;
}

}  // namespace

Result<provider::Catalogue> LoadCatalogue(const std::string& folder) {
  auto catalogue = EmbeddedCatalogue();
  if (!catalogue || folder.empty()) return catalogue;
  if (const Status added = AddFolder(folder, &*catalogue); !added) return std::unexpected(added.error());
  return catalogue;
}

Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name) {
  if (provider::ExporterPtr exporter = catalogue.Find(name)) return exporter;
  std::vector<std::string> names;
  for (const provider::ExporterCard* card : catalogue.Cards()) names.push_back(card->name);
  return Fail(config::UnknownExporter(name, names));
}

Result<provider::Catalogue> LoadFolder(const std::string& folder) {
  provider::Catalogue catalogue;
  if (const Status added = AddFolder(folder, &catalogue); !added) return std::unexpected(added.error());
  return catalogue;
}

Result<provider::ExporterPtr> LoadExporterNamed(const std::string& name, const std::string& folder) {
  const auto catalogue = LoadCatalogue(folder);
  if (!catalogue) return std::unexpected(catalogue.error());
  return FindExporter(*catalogue, name);
}

}  // namespace apiquota::app
