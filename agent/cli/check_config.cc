#include "cli/check_config.h"

#include <fmt/format.h>

#include "app/catalogue.h"
#include "app/settings.h"

namespace apiquota::cli {

int RunCheckConfig(const std::vector<std::string>& files, const std::string& exporters_dir, std::ostream& out,
                   std::ostream& err) {
  const auto exporters = app::LoadCatalogue(exporters_dir);
  if (!exporters) {
    err << exporters.error().message << "\n";
    return 2;
  }
  int status = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& file = files[i];
    const std::string named = files.size() == 1 ? "the configuration" : fmt::format("FILE {}", i + 1);
    const auto config = config::LoadConfigFile(file, app::ContextOf(*exporters), named);
    if (config) {
      out << fmt::format("{}: good; apis: {}, callers: {}\n", file,
                         config->default_apis ? "the default ones" : std::to_string(config->apis.size()),
                         config->callers.size());
    } else {
      err << config.error().message << "\n";
      status = 2;
    }
  }
  return status;
}

}  // namespace apiquota::cli
