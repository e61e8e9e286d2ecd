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
  for (const std::string& file : files) {
    const Result<config::Config> config = config::LoadConfigFile(file, app::ContextOf(*exporters));
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
