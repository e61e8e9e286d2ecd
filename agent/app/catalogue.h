// The exporters a command works with.
#pragma once

#include <string>

#include "base/error.h"
#include "provider/catalogue.h"

namespace apiquota::app {

// The embedded exporters, read as they are needed, and, if `folder` is not empty, its *.yaml files in order
// of their names, read now.
Result<provider::Catalogue> LoadCatalogue(const std::string& folder);

// The *.yaml files of `folder` alone.
Result<provider::Catalogue> LoadFolder(const std::string& folder);

// The exporter of this name; an error with a suggestion if there is none.
Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name);

// The same, of LoadCatalogue.
Result<provider::ExporterPtr> LoadExporterNamed(const std::string& name, const std::string& folder);

}  // namespace apiquota::app
