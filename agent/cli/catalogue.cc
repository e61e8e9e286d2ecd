#include "cli/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/embedded.h"
#include "cli/files.h"
#include "config/names.h"

namespace apiquota::cli {

namespace {

Status AddFolder(const std::string& folder, provider::Catalogue* catalogue) {
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
    if (Status added = catalogue->Add(*text, path.string()); !added) return added;
  }
  return {};
}

}  // namespace

Result<provider::Catalogue> LoadCatalogue(const std::string& folder) {
  auto catalogue = provider::Catalogue::Embedded();
  if (!catalogue || folder.empty()) return catalogue;
  if (const Status added = AddFolder(folder, &*catalogue); !added) return std::unexpected(added.error());
  return catalogue;
}

Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name) {
  if (provider::ExporterPtr exporter = catalogue.Find(name)) return exporter;
  std::vector<std::string> names;
  for (const provider::ExporterPtr& exporter : catalogue.All())
    names.push_back(provider::Info(*exporter).name);
  return Fail(config::UnknownExporter(name, names));
}

Result<provider::Catalogue> LoadFolder(const std::string& folder) {
  provider::Catalogue catalogue;
  if (const Status added = AddFolder(folder, &catalogue); !added) return std::unexpected(added.error());
  return catalogue;
}

Result<provider::ExporterPtr> LoadExporterNamed(const std::string& name, const std::string& folder) {
  if (!folder.empty()) {
    const auto own = LoadFolder(folder);
    if (!own) return std::unexpected(own.error());
    if (provider::ExporterPtr exporter = own->Find(name)) return exporter;
  }
  for (const EmbeddedFile& file : Embedded_exporters()) {
    if (file.name == name + ".yaml")
      return provider::LoadExporter(std::string(file.text), std::string(file.name));
  }
  const auto catalogue = LoadCatalogue(folder);
  if (!catalogue) return std::unexpected(catalogue.error());
  return FindExporter(*catalogue, name);
}

}  // namespace apiquota::cli
