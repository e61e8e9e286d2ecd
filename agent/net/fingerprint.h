// Names for credentials that can stand in a label: "hmac:" + 8 hex digits of
// HMAC-SHA256(credential, salt). Without the salt a short credential can't be guessed back; with
// the same salt every agent gives the same name.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace apiquota::net {

// Immutable, thread-safe. One call costs about a microsecond: keep the answer with the connection.
class Fingerprinter {
 public:
  explicit Fingerprinter(Secret salt) : salt_(std::move(salt)) {}

  // `credential` without its scheme. "anonymous" if empty.
  std::string Of(std::string_view credential) const;

  // All 32 bytes of HMAC-SHA256(text, salt), for what must not be taken for something else; never shown.
  std::string Digest(std::string_view text) const;

 private:
  Secret salt_;
};

// The salt in `path`; if there is no such file, 32 random bytes as hex, written there (mode 0600,
// never over another file). Refuses a file that others may read, or one shorter than 16 bytes.
Result<Secret> LoadOrCreateSalt(const std::string& path);

// For an agent that keeps no state: names change with every start.
Secret RandomSalt();

}  // namespace apiquota::net
