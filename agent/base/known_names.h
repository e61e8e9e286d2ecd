// What the configuration in use calls things: its apis, and of each the aliases of its keys and the callers
// who may use it. What is counted or remembered under another name is of a configuration that is gone. An
// immutable value.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota {

inline constexpr std::string_view kAnonymousKey = "anonymous";
inline constexpr std::string_view kFingerprintPrefix = "hmac:";
inline constexpr std::string_view kOtherName = "other";  // what is beyond a cap shares it

// The label of a key that no configuration names: no credential, one met at run time, one of too many.
inline bool IsUnnamedKey(std::string_view key) {
  return key == kAnonymousKey || key == kOtherName || key.starts_with(kFingerprintPrefix);
}

struct ApiNames {
  std::string api;
  std::vector<std::string> keys;     // aliases
  std::vector<std::string> callers;  // without the one that has no name
  bool implied = false;              // nobody configured it
};

class KnownNames {
 public:
  // Before there is a configuration everything is known.
  KnownNames() = default;
  explicit KnownNames(std::vector<ApiNames> apis) : all_(false) {
    for (ApiNames& api : apis) {
      std::string name = api.api;
      apis_.emplace(std::move(name), std::move(api));
    }
  }

  bool Api(std::string_view api) const { return all_ || apis_.contains(api); }

  bool Key(std::string_view api, std::string_view key) const {
    const ApiNames* names = Find(api);
    return all_ || (names != nullptr && (IsUnnamedKey(key) || Has(names->keys, key)));
  }

  bool Caller(std::string_view api, std::string_view caller) const {
    const ApiNames* names = Find(api);
    return all_ ||
           (names != nullptr && (caller.empty() || caller == kOtherName || Has(names->callers, caller)));
  }

  // Those that somebody configured.
  std::vector<std::string> ConfiguredApis() const {
    std::vector<std::string> configured;
    for (const auto& [name, api] : apis_) {
      if (!api.implied) configured.push_back(name);
    }
    return configured;
  }
  // Of a hundred apis that nobody configured a few are used: those that come first share with the configured
  // ones.
  size_t shares_for_implied() const {
    constexpr size_t kShares = 8;
    return std::ranges::any_of(apis_, [](const auto& api) { return api.second.implied; }) ? kShares : 0;
  }
  size_t apis() const { return apis_.size(); }

 private:
  const ApiNames* Find(std::string_view api) const {
    const auto found = apis_.find(api);
    return found == apis_.end() ? nullptr : &found->second;
  }
  static bool Has(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  }

  bool all_ = true;
  std::map<std::string, ApiNames, std::less<>> apis_;
};

}  // namespace apiquota
