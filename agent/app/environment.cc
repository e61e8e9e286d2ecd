#include "app/environment.h"

#include <cstdlib>

namespace apiquota::app {

std::string ProxyVariables() {
  constexpr const char* kVariables[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY",
                                        "http_proxy",  "ALL_PROXY",   "all_proxy"};
  std::string names;
  for (const char* name : kVariables) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    names.append(names.empty() ? "" : ", ").append(name);
  }
  return names;
}

}  // namespace apiquota::app
