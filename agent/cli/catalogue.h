// The exporters a command works with.
#pragma once

#include <string>

#include "base/error.h"
#include "provider/exporter.h"

namespace apiquota::cli {

// The embedded exporters and, if `folder` is not empty, its *.yaml files in order of their names.
Result<provider::Catalogue> LoadCatalogue(const std::string& folder);

}  // namespace apiquota::cli
