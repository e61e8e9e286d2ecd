// Which requests the proxy takes at all: addressed to it by a name of its own, and not sent by a web page of
// somebody else's while the agent adds keys (DNS rebinding, cross-site requests). Pure; immutable;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"
#include "net/options.h"
#include "source/reasons.h"

namespace apiquota::source {

class Admission {
 public:
  Admission(const net::ListenAddress& listen, const std::vector<std::string>& hosts);

  // Loopback names, the listen address and configured hosts, whatever the port. Listening on all addresses,
  // any IP literal too: rebinding needs a name. HTTP/1.0 without Host is taken. Absolute-form is judged by
  // its authority, too.
  bool HostAllowed(const http::RequestHead& head) const;

 private:
  bool NameAllowed(std::string_view authority) const;

  bool all_addresses_;
  std::vector<std::string> names_;  // lower case, without ports and brackets
};

// Origin is absent or the very authority of Host; Sec-Fetch-Site is not cross-site or same-site.
bool SameOrigin(const http::RequestHead& head);

}  // namespace apiquota::source
