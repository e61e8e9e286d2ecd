#include "config/api_flag.h"

#include <fmt/format.h>

#include "config/names.h"

namespace apiquota::config {

Result<apis::ApiOptions> ParseApiFlag(const std::string& flag, const LoadContext& context) {
  const size_t equals = flag.find('=');
  const size_t at = flag.find('@', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || at == std::string::npos) {
    return Fail("--api: expected NAME=EXPORTER@URL, such as demo=github@http://127.0.0.1:8080");
  }
  apis::ApiOptions api;
  api.name = flag.substr(0, equals);
  api.exporter = flag.substr(equals + 1, at - equals - 1);
  api.base_url = flag.substr(at + 1);
  api.base_url_by_operator = true;
  api.route = "/" + api.name;
  if (!IsName(api.name) || api.name == "other") return Fail(fmt::format("--api: expected {}", kNameExpected));
  if (!Contains(context.exporters, api.exporter)) {
    return Fail("--api: " + UnknownExporter(api.exporter, context.exporters));
  }
  if (const Status status = context.check_base_url(api.base_url); !status) {
    return Fail("--api: " + status.error().message);
  }
  return api;
}

}  // namespace apiquota::config
