#include "net/basic_auth.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/text.h"

namespace apiquota::net {
namespace {

constexpr size_t kRememberedMax = 100;
constexpr size_t kCredentialsMax = 4096;  // base64
constexpr std::string_view kScheme = "basic ";

// "user:password", or nothing that any user could have sent.
std::optional<Secret> Decode(std::string_view authorization) {
  if (ToLower(authorization.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  const std::string_view encoded = authorization.substr(kScheme.size());
  if (encoded.empty() || encoded.size() % 4 != 0 || encoded.size() > kCredentialsMax) return std::nullopt;
  std::string decoded(encoded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                   reinterpret_cast<const unsigned char*>(encoded.data()),
                                   static_cast<int>(encoded.size()));
  if (size < 0) return std::nullopt;
  const size_t padding = encoded.ends_with("==") ? 2 : encoded.ends_with('=') ? 1 : 0;
  decoded.resize(static_cast<size_t>(size) - padding);
  const bool has_both = decoded.find(':') != std::string::npos && decoded.find('\0') == std::string::npos;
  Secret out(std::move(decoded));
  return has_both ? std::optional(std::move(out)) : std::nullopt;
}

bool Matches(std::string_view password, const Secret& hash) {
  const auto data = std::make_unique<crypt_data>();
  const Secret phrase{std::string(password)};
  const std::string setting(hash.Reveal());
  // It ends with a NUL, as crypt wants it. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  const char* computed = crypt_r(phrase.Reveal().data(), setting.c_str(), data.get());
  return computed != nullptr && hash.Equals(computed);
}

}  // namespace

struct BasicAuth::Impl {
  using Mark = std::array<unsigned char, 32>;

  explicit Impl(std::vector<BasicAuthUser> users_in) : users(std::move(users_in)) {
    RAND_bytes(key.data(), static_cast<int>(key.size()));
  }

  // Tells credentials apart, and nobody can find them from it.
  Mark MarkOf(std::string_view credentials) const {
    Mark mark{};
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(credentials.data()), credentials.size(), mark.data(),
         nullptr);
    return mark;
  }

  std::optional<bool> Remembered(const Mark& mark) const {
    const std::lock_guard lock(remembering);
    const auto found = outcomes.find(mark);
    return found == outcomes.end() ? std::nullopt : std::optional(found->second);
  }

  void Remember(const Mark& mark, bool outcome) {
    const std::lock_guard lock(remembering);
    if (outcomes.size() >= kRememberedMax) outcomes.erase(outcomes.begin());  // any: marks are random
    outcomes[mark] = outcome;
  }

  bool Compute(std::string_view credentials) {
    const size_t colon = credentials.find(':');
    const std::string_view password = credentials.substr(colon + 1);
    const auto user = std::ranges::find(users, credentials.substr(0, colon), &BasicAuthUser::name);
    const bool known = user != users.end();
    const std::lock_guard lock(computing);
    return Matches(password, known ? user->hash : users.front().hash) && known;
  }

  const std::vector<BasicAuthUser> users;
  Mark key{};
  std::mutex computing;
  mutable std::mutex remembering;
  std::map<Mark, bool> outcomes;  // guarded by remembering
};

BasicAuth::BasicAuth(std::vector<BasicAuthUser> users) : impl_(std::make_unique<Impl>(std::move(users))) {}
BasicAuth::~BasicAuth() = default;

std::optional<bool> BasicAuth::Known(std::string_view authorization) const {
  if (impl_->users.empty()) return true;
  const std::optional<Secret> credentials = Decode(authorization);
  if (!credentials) return false;
  return impl_->Remembered(impl_->MarkOf(credentials->Reveal()));
}

bool BasicAuth::Authorized(std::string_view authorization) {
  if (const std::optional<bool> known = Known(authorization)) return *known;
  const Secret credentials = *Decode(authorization);
  const bool outcome = impl_->Compute(credentials.Reveal());
  impl_->Remember(impl_->MarkOf(credentials.Reveal()), outcome);
  return outcome;
}

}  // namespace apiquota::net
