// What `apiquota probe` was asked to ask: names and URLs become requests.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "cli/probe.h"
#include "net/http_client.h"
#include "net/options.h"
#include "provider/catalogue.h"

namespace apiquota::cli {

struct ProbeTarget {
  std::string name;  // as it was asked for; with the key's where there are several
  net::ClientRequest request;
  std::string host;  // lower case, without port
  std::string path;  // without the query
  provider::ExporterPtr exporter;
  bool exporter_named =
      false;  // by the asker or the configuration; else the answer's headers may know better
};

struct ProbePlan {
  provider::Catalogue exporters;
  std::vector<ProbeTarget> targets;
  net::TlsClientOptions tls;
};

// The first mistake in one sentence: nothing is asked then. It does not repeat what was typed, which may hold
// a credential: a target is named by its number.
Result<ProbePlan> PlanProbe(const ProbeOptions& options);

}  // namespace apiquota::cli
