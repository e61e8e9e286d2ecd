#include "tests/source_dir.h"

namespace apiquota {

std::string SourceDir() { return APIQUOTA_SOURCE_DIR; }

}  // namespace apiquota
