// Whose credential a request carries and which one goes upstream. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apis/credential_owner.h"
#include "apis/route_table.h"
#include "http/codec.h"
#include "http/fields.h"
#include "metrics/reasons.h"
#include "provider/exporter.h"

namespace apiquota::apis {

// The credential as it stands in a request: where the exporter file says the provider looks for it. Views
// into the request. Allocates only for what has to be decoded or put together.
struct FoundCredential {
  const provider::CredentialRule* rule = nullptr;  // null: none, or a signed request's elsewhere
  std::string_view field;                          // the whole value of the field or parameter
  std::string_view text;                           // of that, what stands behind the scheme
  Owner owner;                                     // of that, what identifies whose it is

  std::string_view value() const { return owner.text(); }
  // Whether it is this one: by what identifies it, or as it stands.
  bool Is(const Secret& key) const;
};
FoundCredential FindCredential(const provider::ExporterInfo& exporter, const http::Fields& fields,
                               std::string_view target = {});

// What to do with it.
struct KeyChoice {
  enum class Action : uint8_t {
    kPass,    // the client's own credential, or none, goes through unchanged
    kInject,  // `key` takes the place of every field and parameter for a credential
    kStrip,   // a caller's token, and no key to put in its place: those are left out
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
// A caller's token is recognised wherever the exporter file says the provider's key would stand: as a
// parameter of the query; in a field alone, behind any scheme, or as user or password of Basic (RFC 7617).
// With callers configured, only they get an injected key; without any, everybody on this machine does.
// Comparing takes the same time whichever token matches.
//
// What a caller's token never does is reach the provider: with callers configured, every other field and the
// rest of the target are searched for every token (apis/token_search.h), and the request is refused with
// kTokenLeak. Bodies are not read for it. Where a key is injected or callers are recognised, a second field
// for a credential, or the same parameter again, is refused with kCredentials: which of them counts would be
// a guess. So are a field and a parameter, or two parameters, where one of them decides. Without callers and
// injection nothing is looked at.
CredentialDecision DecideCredential(const RouteTable& routes, const Route& route,
                                    const http::RequestHead& head, bool loopback_client);

// The caller whose token a request to the agent itself carries, in any header field in which one of the apis
// looks for a credential, as DecideCredential recognises it; null: none, or tokens of two callers.
const CallerOptions* CallerOf(const RouteTable& routes, const http::Fields& fields);

// What carries `key`: the rule the client used, else the provider's first.
struct InjectedCredential {
  std::string_view name;
  std::string value;
  bool in_query = false;  // a parameter, not yet escaped; else a header
};
std::optional<InjectedCredential> InjectKey(const provider::ExporterInfo& exporter,
                                            const FoundCredential& found, const KeyOptions& key);

// Whether it would stand in the query.
bool InjectsInQuery(const provider::ExporterInfo& exporter, const FoundCredential& found);

// Leaves out of a request target all parameters that the provider might take for a credential, and adds
// `injected` if that is one. False, and untouched, if there is nothing to do.
bool ReplaceInTarget(const provider::ExporterInfo& exporter,
                     const std::optional<InjectedCredential>& injected, std::string* target);

// Adds `key` to a request of our own. The URL may hold it afterwards: it is not to be shown any more.
void AddKey(const provider::ExporterInfo& exporter, const KeyOptions& key, std::string* url,
            std::vector<std::pair<std::string, std::string>>* fields);

}  // namespace apiquota::apis
