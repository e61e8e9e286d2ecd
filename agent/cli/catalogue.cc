#include "cli/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "cli/files.h"
#include "config/names.h"

namespace apiquota::cli {

Result<provider::Catalogue> LoadCatalogue(const std::string& folder) {
  auto catalogue = provider::Catalogue::Embedded();
  if (!catalogue || folder.empty()) return catalogue;
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".yaml") paths.push_back(entry->path());
  }
  if (error) return Fail(fmt::format("cannot read {}: {}", folder, error.message()));
  std::ranges::sort(paths);
  for (const std::filesystem::path& path : paths) {
    const Result<std::string> text = ReadWholeFile(path.string());
    if (!text) return std::unexpected(text.error());
    if (const Status added = catalogue->Add(*text, path.string()); !added)
      return std::unexpected(added.error());
  }
  return catalogue;
}

Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name) {
  if (provider::ExporterPtr exporter = catalogue.Find(name)) return exporter;
  std::vector<std::string> names;
  for (const provider::ExporterPtr& exporter : catalogue.All())
    names.push_back(provider::Info(*exporter).name);
  return Fail(config::UnknownExporter(name, names));
}

}  // namespace apiquota::cli
