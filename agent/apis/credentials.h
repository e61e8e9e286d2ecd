// Whose credential a request carries and which one goes upstream. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apis/route_table.h"
#include "http/codec.h"
#include "http/fields.h"
#include "metrics/reasons.h"
#include "provider/exporter.h"

namespace apiquota::apis {

// The credential as it stands in a request: where the exporter file says the provider looks for it.
struct FoundCredential {
  const provider::CredentialRule* rule = nullptr;  // null: none
  std::string_view value;                          // without its scheme; a view into the fields
};
FoundCredential FindCredential(const provider::ExporterInfo& exporter, const http::Fields& fields);

// What to do with it.
struct KeyChoice {
  enum class Action : uint8_t {
    kPass,    // the client's own credential, or none, goes through unchanged
    kInject,  // `key` takes the place of every field for a credential
    kStrip,   // a caller's token, and no key to put in its place: those fields are left out
    kRefuse,  // for the reason `refusal`
  };
  Action action = Action::kPass;
  const KeyOptions* key = nullptr;  // injected, or the configured key whose value the client sent itself
  const CallerOptions* caller = nullptr;  // recognised by its token
  metrics::Rejection refusal = metrics::Rejection::kCaller;
};

struct CredentialDecision {
  FoundCredential found;  // of a client that brings its own
  KeyChoice choice;
};

// The whole decision about a request's credentials.
//
// A caller's token is recognised in any field where the exporter file says the provider's key would stand:
// alone, behind any scheme, or as user or password of Basic (RFC 7617). With callers configured, only they
// get an injected key; without any, everybody on this machine does. Comparing takes the same time whichever
// token matches.
//
// What a caller's token never does is reach the provider: with callers configured, every other field and the
// target are searched for every token (apis/token_search.h), and the request is refused with kTokenLeak.
// Bodies are not read for it. Where a key is injected or callers are recognised, a second field for a
// credential is refused with kCredentials: which of them counts would be a guess. Without callers and
// injection nothing is looked at.
CredentialDecision DecideCredential(const RouteTable& routes, const Route& route,
                                    const http::RequestHead& head, bool loopback_client);

// The header that carries `key`: the rule the client used, else the provider's first.
struct InjectedField {
  std::string_view name;
  std::string value;
};
std::optional<InjectedField> InjectedCredential(const provider::ExporterInfo& exporter,
                                                const FoundCredential& found, const KeyOptions& key);

}  // namespace apiquota::apis
