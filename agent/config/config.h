// Everything the operator asked for, as the rooms' own option structs. A value: load it, hand it out, swap it whole.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "net/options.h"
#include "quota/options.h"
#include "source/options.h"

namespace apiquota::config {

struct Config {
  net::AdminOptions admin;
  source::ProxyOptions proxy;
  quota::LedgerOptions ledger;
  std::vector<source::ApiOptions> apis;
  std::vector<source::CallerOptions> callers;
  std::string state_file;     // empty: readings are not kept over a restart
  std::string key_salt_file;  // empty: <state directory>/key-salt
};

// The exporters a configuration may name: what config needs to know of the provider room without including it.
struct ExporterNames {
  std::vector<std::string> all;
  std::vector<std::string> with_base_url;  // need no base_url from the operator
};

// Strict: the first mistake as "file:line:column: what, and what was expected".
Result<Config> LoadConfig(const std::string& text, const std::string& file, const ExporterNames& exporters);

}  // namespace apiquota::config
