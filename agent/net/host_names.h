// The names a listener answers to: what stands between a page in somebody's browser and a service on loopback
// (DNS rebinding). Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/options.h"

namespace apiquota::net {

class HostNames {
 public:
  // Loopback names, the listen address and `hosts`. Listening on all addresses, any IP literal too: rebinding
  // needs a name. On a Unix socket, anything: no browser reaches one, and its file says who may.
  HostNames(const ListenAddress& listen, const std::vector<std::string>& hosts);

  // `authority` is a Host field, whatever its port.
  bool Allow(std::string_view authority) const;

 private:
  bool all_hosts_;
  bool all_addresses_;
  std::vector<std::string> names_;  // lower case, without brackets
};

}  // namespace apiquota::net
