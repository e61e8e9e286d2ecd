// tls_server_config of a web configuration file. Internal to web_config.cc.
#pragma once

#include <optional>

#include "config/loader.h"
#include "net/options.h"

namespace apiquota::config {

// Nothing if the section is absent or empty.
std::optional<net::TlsServerOptions> LoadWebTls(YamlMap section, const Loader& loader);

}  // namespace apiquota::config
