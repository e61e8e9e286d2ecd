#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

void CheckApi(const YamlValue& value, const std::string& name, const std::vector<apis::ApiOptions>& apis) {
  const auto found = std::ranges::find(apis, name, &apis::ApiOptions::name);
  if (found == apis.end()) {
    std::vector<std::string_view> names;
    names.reserve(apis.size());
    names.reserve(apis.size());
    for (const apis::ApiOptions& api : apis) names.push_back(api.name);
    const std::string_view match = ClosestMatch(name, names);
    const std::string hint = match.empty() ? std::string("expected the name of one under \"apis\"")
                                           : fmt::format("did you mean \"{}\"?", match);
    value.Fail(fmt::format("unknown api \"{}\"; {}", name, hint));
  } else if (std::ranges::none_of(found->keys, &apis::KeyOptions::inject_default)) {
    value.Fail(fmt::format("api \"{}\" has no key with inject: default that a caller's token could stand for",
                           name));
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
  caller.token = LoadSecret(map, "token", loader);
  return caller;
}

}  // namespace

std::vector<apis::CallerOptions> LoadCallers(const YamlValue& list, const Loader& loader,
                                             const std::vector<apis::ApiOptions>& apis) {
  std::vector<apis::CallerOptions> callers;
  for (const YamlValue& item : list.AsList()) {
    apis::CallerOptions caller = LoadCaller(item.AsMap(), loader, apis);
    for (const apis::CallerOptions& other : callers) {
      if (other.name == caller.name) item.Fail(fmt::format("a second caller named \"{}\"", caller.name));
      if (other.token.Equals(caller.token.Reveal())) {
        item.Fail(
            fmt::format("callers \"{}\" and \"{}\" have the same token; expected one of its own for each",
                        other.name, caller.name));
      }
    }
    callers.push_back(std::move(caller));
  }
  return callers;
}

}  // namespace apiquota::config
