// Whose credential a request carries and which one goes upstream. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apis/route_table.h"
#include "http/fields.h"
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
    kInject,  // `key` takes its place
    kStrip,   // a caller's token, and no key to put in its place
    kRefuse,  // a caller that may not use this api
  };
  Action action = Action::kPass;
  const KeyOptions* key = nullptr;  // injected, or the configured key whose value the client sent itself
  const CallerOptions* caller = nullptr;  // recognised by its token
};

// A caller's token is recognised wherever the provider's key would stand. With callers configured, only they
// get an injected key; without any, everybody on this machine does. Takes the same time whichever token
// matches.
KeyChoice ChooseKey(const RouteTable& routes, const Route& route, std::string_view credential,
                    bool loopback_client);

// The header that carries `key`: the rule the client used, else the provider's first.
struct InjectedField {
  std::string_view name;
  std::string value;
};
std::optional<InjectedField> InjectedCredential(const provider::ExporterInfo& exporter,
                                                const FoundCredential& found, const KeyOptions& key);

}  // namespace apiquota::apis
