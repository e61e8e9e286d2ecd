// Where the source tree stands, for tests that read its files. Only source_dir.cc knows: no other object file
// depends on the place of the clone, so that one compiler cache serves all of them.
#pragma once

#include <string>

namespace apiquota {

std::string SourceDir();  // absolute, without a slash at its end

}  // namespace apiquota
