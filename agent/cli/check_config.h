// `apiquota check-config FILE…`: whether `serve` would take these files.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace apiquota::cli {

// One line per file: on `out` if it is good, else its first mistake on `err`. 0 if all are good, else 2.
int RunCheckConfig(const std::vector<std::string>& files, const std::string& exporters_dir, std::ostream& out,
                   std::ostream& err);

}  // namespace apiquota::cli
