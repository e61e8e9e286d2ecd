// The exporters a command works with.
#pragma once

#include <string>

#include "base/error.h"
#include "provider/exporter.h"

namespace apiquota::cli {

// The embedded exporters and, if `folder` is not empty, its *.yaml files in order of their names.
Result<provider::Catalogue> LoadCatalogue(const std::string& folder);

// The exporter of this name; an error with a suggestion if there is none.
Result<provider::ExporterPtr> FindExporter(const provider::Catalogue& catalogue, const std::string& name);

}  // namespace apiquota::cli
