#include "app/explain_page.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "expose/guard_facts.h"
#include "expose/guard_json.h"
#include "http/query.h"

namespace apiquota::app {
namespace {

struct Question {
  std::string api;
  std::optional<std::string> key;
};

// What is asked is not repeated in an answer: it could say anything.
net::AdminResponse Refusal(int status, std::string sentence) {
  return {status, "text/plain; charset=utf-8", std::move(sentence) + "\n"};
}

Result<Question> QuestionIn(std::string_view query) {
  std::optional<std::string> api, key;
  http::QueryReader reader(query);
  for (http::QueryParameter parameter; reader.Next(&parameter);) {
    if (parameter.name != "api" && parameter.name != "key")
      return std::unexpected(Error{"this page knows the parameters api and key, and no other"});
    std::optional<std::string>& asked = parameter.name == "api" ? api : key;
    if (asked) return std::unexpected(Error{std::string(parameter.name) + " is given twice"});
    asked = http::PercentDecoded(parameter.value);
  }
  if (!api || api->empty()) return std::unexpected(Error{"expected ?api=NAME"});
  if (key && key->empty()) return std::unexpected(Error{"expected a name after key="});
  return Question{std::move(*api), std::move(key)};
}

// "; there are: a, b"
std::string ThereAre(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "; there are: " : ", ").append(name);
  return text.empty() ? "; there is none yet" : text;
}

// Those that nobody configured are named once they are used.
std::set<std::string> Guarded(const guard::Guard& guard, const std::vector<expose::ApiFacts>& apis,
                              SystemTime now) {
  std::set<std::string> names;
  for (const expose::ApiFacts& api : apis) {
    if (api.guard.active() && (!api.implied || !guard.ViewOf(api.name, now).empty())) names.insert(api.name);
  }
  return names;
}

}  // namespace

net::AdminResponse ExplainPage(const guard::Guard* guard, const std::vector<expose::ApiFacts>& apis,
                               std::string_view query, RunningTime now) {
  const Result<Question> asked = QuestionIn(query);
  if (!asked) return Refusal(400, asked.error().message);
  const auto api = std::ranges::find(apis, asked->api, &expose::ApiFacts::name);
  if (guard == nullptr || std::ranges::none_of(apis, [](const auto& each) { return each.guard.active(); }))
    return Refusal(404, "no api is guarded");
  if (api == apis.end() || !api->guard.active())
    return Refusal(404, "no guarded api has this name" + ThereAre(Guarded(*guard, apis, now.at)));
  std::vector<guard::AccountView> accounts = guard->ViewOf(api->name, now.at);
  if (asked->key) {
    std::set<std::string> keys;
    for (const guard::AccountView& account : accounts) keys.insert(account.key);
    if (!keys.contains(*asked->key)) return Refusal(404, "no key of this name was used" + ThereAre(keys));
    std::erase_if(accounts, [&](const guard::AccountView& account) { return account.key != *asked->key; });
  }
  expose::GuardFacts facts =
      expose::MakeGuardFacts({{api->name, api->guard}}, std::move(accounts), now.system_ahead, {});
  expose::AddApiViews(guard->ViewApis(now.at, 0), now.system_ahead, &facts);
  return {200, "application/json", expose::GuardExplainJson(facts, now.at + now.system_ahead)};
}

}  // namespace apiquota::app
