// Everything the operator asked for, as the rooms' own option structs. A value: load it, hand it out, swap it
// whole.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apis/options.h"
#include "base/error.h"
#include "guard/options.h"
#include "metrics/options.h"
#include "net/options.h"
#include "poll/options.h"
#include "proxy/options.h"
#include "quota/options.h"

namespace apiquota::config {

struct Config {
  net::AdminOptions admin;
  proxy::ProxyOptions proxy;
  poll::PollerOptions poller;
  quota::LedgerOptions ledger;
  metrics::MetricsOptions metrics;
  guard::Options guard;  // of apis that say nothing of their own
  std::vector<apis::ApiOptions> apis;
  bool default_apis =
      true;  // the file says nothing of apis: every exporter with a base_url, credentials passed through
  std::vector<apis::CallerOptions> callers;
  std::string state_file;     // empty: readings are not kept over a restart
  std::string key_salt_file;  // empty: <state directory>/key-salt
};

// What the loader has to know of rooms it does not include.
struct LoadContext {
  std::vector<std::string> exporters;                      // names a file may use
  std::vector<std::string> exporters_with_base_url;        // those that need none from the operator
  std::vector<std::string> exporters_with_credential;      // those whose requests a key can be added to
  std::vector<std::string> exporters_with_poll;            // those that know an endpoint to poll
  std::map<std::string, std::string> not_proxyable;        // those that can't be proxied, and why
  std::function<Status(std::string_view)> check_base_url;  // an error names the URL and what was expected
  std::function<Status(const net::TlsServerOptions&)> check_tls_server;  // reads its files and tries them
  std::optional<net::ListenAddress> proxy_listen;  // a flag's address, which wins over the file's
  guard::Mode guard_mode = guard::Mode::kOff;      // a flag's; the file wins
};

// Strict: the first mistake as "file:line:column: what, and what was expected". Reads the secrets the file
// names, so that a missing one is found here; relative paths start from the file's own directory. Not for the
// hot path: file I/O.
Result<Config> LoadConfig(const std::string& text, const std::string& file, const LoadContext& context);

// The same for the file itself, which may be unreadable: then `named` says which one was meant.
Result<Config> LoadConfigFile(const std::string& file, const LoadContext& context,
                              std::string_view named = "the configuration");

}  // namespace apiquota::config
