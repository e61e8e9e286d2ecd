// The exporters a command works with.
#pragma once

#include <string>

#include "base/error.h"
#include "provider/exporter.h"

namespace apiquota::cli {

// The embedded exporters and, if `folder` is not empty, its *.yaml files in order of their names.
Result<provider::Catalogue> LoadCatalogue(const std::string& folder);

// The *.yaml files of `folder` alone.
Result<provider::Catalogue> LoadFolder(const std::string& folder);

// The exporter of this name; an error with a suggestion if there is none.
Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name);

// The same, but reads no embedded file other than the one it needs.
Result<provider::ExporterPtr> LoadExporterNamed(const std::string& name, const std::string& folder);

}  // namespace apiquota::cli
