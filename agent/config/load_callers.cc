#include <fmt/format.h>

#include <algorithm>

#include "config/loader.h"

namespace apiquota::config {
namespace {

constexpr size_t kTokenBytesMin =
    8;  // the proxy looks for tokens in whole requests: chance must not find one

void CheckApi(const YamlValue& value, const std::string& name, const std::vector<apis::ApiOptions>& apis) {
  const auto found = std::ranges::find(apis, name, &apis::ApiOptions::name);
  if (found == apis.end()) {
    value.Fail("expected the name of an api under \"apis\"");
  } else if (std::ranges::none_of(found->keys, &apis::KeyOptions::inject_default)) {
    value.Fail("this api has no key with inject: default that a caller's token could stand for");
  }
}

apis::CallerOptions LoadCaller(YamlMap map, const Loader& loader, const std::vector<apis::ApiOptions>& apis) {
  apis::CallerOptions caller;
  caller.name = LoadName(map.Require("name"), {"other"});
  const YamlValue allowed = map.Get("apis");
  for (const YamlValue& item : allowed.AsList()) {
    caller.apis.push_back(item.AsString());
    CheckApi(item, caller.apis.back(), apis);
  }
  if (allowed.IsList() && caller.apis.empty())
    allowed.Fail("expected at least one api; leave the key out for all");
  if (const YamlValue priority = map.Get("priority"); priority.Present())
    caller.priority = static_cast<uint8_t>(priority.AsInteger(0, 7));
  caller.token = LoadSecret(map, "token", loader);
  if (const size_t size = caller.token.Reveal().size(); size > 0 && size < kTokenBytesMin) {
    map.value().Fail(
        fmt::format("the token is shorter than {} bytes; expected one that nobody guesses", kTokenBytesMin));
  }
  return caller;
}

}  // namespace

std::vector<std::string> CallerNames(const YamlValue& list) {
  std::vector<std::string> names;
  if (!list.IsList()) return names;
  for (const YamlValue& item : list.AsList()) {
    if (!item.IsMap()) continue;
    const YamlValue name = item.AsMap().Get("name");
    if (name.IsScalar()) names.push_back(name.AsString());
  }
  return names;
}

std::vector<apis::CallerOptions> LoadCallers(const YamlValue& list, const Loader& loader,
                                             const std::vector<apis::ApiOptions>& apis) {
  std::vector<apis::CallerOptions> callers;
  for (const YamlValue& item : list.AsList()) {
    apis::CallerOptions caller = LoadCaller(item.AsMap(), loader, apis);
    for (const apis::CallerOptions& other : callers) {
      if (other.name == caller.name) item.Fail("a second caller of this name");
      if (other.token.Equals(caller.token.Reveal())) {
        item.Fail("another caller has the same token; expected one of its own for each");
      }
    }
    callers.push_back(std::move(caller));
  }
  return callers;
}

}  // namespace apiquota::config
