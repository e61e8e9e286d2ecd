#include "net/key_log.h"

#include <cstdlib>

#include "base/log.h"

namespace apiquota::net {

void ForgetKeyLogFile() {
  constexpr const char* kVariable = "SSLKEYLOGFILE";
  if (std::getenv(kVariable) == nullptr) return;
  unsetenv(kVariable);
  Log(LogLevel::kWarn, "key_log_ignored",
      {{"variable", kVariable}, {"effect", "no TLS secrets are written"}});
}

}  // namespace apiquota::net
