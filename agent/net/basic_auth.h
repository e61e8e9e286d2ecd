// HTTP basic authentication (RFC 7617) against bcrypt hashes, as exporter-toolkit has it: hashes are computed
// one at a time, outcomes are remembered (100 of them, without their passwords), and an unknown user costs as
// much time as a known one. Thread-safe.
//
// Computing takes 50 ms and more, at will of the hash's cost: not for an event loop, which asks Known first.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "net/options.h"

namespace apiquota::net {

class BasicAuth {
 public:
  explicit BasicAuth(std::vector<BasicAuthUser> users);  // none: everybody is authorized
  ~BasicAuth();

  // `authorization` is the value of the request's Authorization field; "" if it has none.
  bool Authorized(std::string_view authorization);

  // The same, where it takes no computing.
  std::optional<bool> Known(std::string_view authorization) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::net
