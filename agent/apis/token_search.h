// Whether a text holds one of a few secret tokens: as it stands, percent-encoded (up to three times), or
// anywhere inside base64 (RFC 4648, either alphabet), whatever is encoded beside it. Thread-safe once built.
//
// The text is an attacker's, so the time a search takes must not tell how much of a token was guessed: memmem
// and its kin skip by the letters of what they look for, and a client that times them learns those letters.
// Here every eight bytes of the text are hashed with a key of this process and looked up among the hashes of
// the tokens' last eight; who does not know all eight at once learns nothing. About one nanosecond per byte,
// however many tokens.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace apiquota::apis {

class TokenSearch {
 public:
  static constexpr size_t kTokenBytesMin = 8;  // shorter ones are not looked for: chance would find them

  TokenSearch() = default;  // finds nothing
  explicit TokenSearch(const std::vector<std::string_view>& tokens);

  // Allocates only if `text` holds a '%'.
  bool FoundIn(std::string_view text) const;

 private:
  struct Entry {
    uint64_t hash;  // of the needle's last eight bytes
    size_t needle;
  };

  void Add(std::string_view needle);
  uint64_t Hash(const char* window) const;
  bool FoundAsItStands(std::string_view text) const;
  bool EndsAt(std::string_view text_until_here, uint64_t hash) const;

  std::array<uint64_t, 2> key_{};
  std::vector<Secret> needles_;
  std::vector<Entry> entries_;  // by hash
  std::vector<bool> seen_;      // by the top bits of a hash: whether an entry has them
  int seen_shift_ = 0;
};

}  // namespace apiquota::apis
