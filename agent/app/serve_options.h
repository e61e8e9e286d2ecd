// What the command line of `apiquota serve` says; plain values with their defaults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "guard/options.h"
#include "net/options.h"

namespace apiquota::app {

struct ServeOptions {
  std::string config_file;                         // --config.file; empty: none
  std::optional<net::ListenAddress> admin_listen;  // --web.listen-address: wins over the file's
  std::optional<net::ListenAddress> proxy_listen;  // --proxy.listen-address: likewise
  std::string admin_web_config;                    // --web.config.file: TLS and more; wins over the file's
  std::string proxy_web_config;                    // --proxy.config.file: likewise
  bool enable_lifecycle = false;                   // --web.enable-lifecycle
  std::string exporters_dir;                       // --exporters.dir
  std::vector<std::string> apis;                   // --api NAME=EXPORTER@URL
  guard::Mode guard = guard::Mode::kOff;           // --guard; the file wins
  LogLevel log_level = LogLevel::kInfo;            // --log.level
  LogFormat log_format = LogFormat::kLogfmt;       // --log.format
  bool log_access = false;                         // --log.access
  std::string version;
  std::string revision;  // of the source; empty if unknown
};

}  // namespace apiquota::app
