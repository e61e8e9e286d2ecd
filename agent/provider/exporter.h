// How one provider speaks about limits: an exporter file (exporters/<name>.yaml) as values. Immutable once
// loaded, shared between threads. LoadExporter is strict; see exporters/README.md for the file's keys.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "provider/batch_rule.h"
#include "provider/pointer_set.h"
#include "provider/poll_rule.h"
#include "provider/signals.h"
#include "provider/token_charge.h"

namespace apiquota::provider {

// Which half of what Basic encodes (RFC 7617) is the token; the other may be anything.
enum class CredentialPart : uint8_t { kWhole, kUser, kPassword };

// Where the caller's credential stands in a request; first match wins. Either `header` or `query` is said.
struct CredentialRule {
  std::string header = {};                       // lower case
  std::string scheme = {};                       // "Bearer", or empty; stripped before fingerprinting
  std::string query = {};                        // a parameter's name
  CredentialPart part = CredentialPart::kWhole;  // never of an exporter's first rule
  std::string claim = {};                        // of a JSON Web Token: what its API knows its owner by
  std::string except = {};  // what the part says where the other half is the token, beside nothing at all
};

// Who names the resource that a request is about (request_resource.h): nobody, since the file knows none; the
// request; or its answer, whatever the request says.
enum class ResourceNaming : uint8_t { kNone, kRequest, kAnswer };

struct Exporter;  // the whole of it: provider/exporter_rules.h, which only this room and simulate need

// What the rest of the agent needs to know.
struct ExporterInfo {
  std::string name;
  std::string title;
  std::string docs;
  std::vector<std::string> hosts;  // "api.openai.com", "*.openai.azure.com", "bedrock.*.amazonaws.com"
  bool self_hosted = false;        // instances stand under other hosts as well
  std::string base_url;            // empty if every customer has a host of their own
  std::string not_proxyable;       // why not, as a person is told; empty: it can be proxied
  std::vector<CredentialRule> credentials;
  std::vector<std::string>
      links;                    // response headers that hold one address of the API's own each, in lower case
  PointerSet request_pointers;  // JSON pointers wanted from request bodies (the model's name)
  // … and with these what `charge` wants to know of requests before they are sent.
  PointerSet guarded_request_pointers;
  ResourceNaming resource_naming = ResourceNaming::kNone;
  std::optional<ChargeRule> charge;   // how tokens are counted against limits; nothing: not known
  bool not_modified_is_free = false;  // a 304 takes nothing from the quotas
  std::optional<BatchRule> batch;     // an endpoint that takes many calls at once; nothing: none is known
  // The throttle pairs (scope, signal) this API is known to send: children that exist at 0 from the start.
  std::vector<Throttle> throttles;
  std::optional<PollRule> poll;  // where the API can be asked for its quotas
};

using ExporterPtr = std::shared_ptr<const Exporter>;

const ExporterInfo& Info(const Exporter& exporter);

// Strict: the first mistake as "file:line:column: what, and what was expected".
Result<ExporterPtr> LoadExporter(const std::string& text, const std::string& file);

}  // namespace apiquota::provider
