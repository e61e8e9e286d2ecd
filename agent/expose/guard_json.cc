#include "expose/guard_json.h"

#include <algorithm>
#include <optional>

#include "expose/guard_api_json.h"
#include "expose/json_values.h"

namespace apiquota::expose {
namespace {

using guard::Mode;

std::string_view Word(Mode mode) {
  switch (mode) {
    case Mode::kOff:
      return "off";
    case Mode::kShadow:
      return "shadow";
    case Mode::kOn:
      return "on";
  }
  return "off";
}

Json SecondsSince(const std::optional<SystemTime>& since, SystemTime now) {
  return since ? Json(std::max(0.0, ToSeconds(now - *since))) : Json(nullptr);
}

Json CooldownJson(const guard::CooldownView& cooldown, SystemTime now) {
  Json json = {{"resource", cooldown.resource}, {"evidence", cooldown.evidence}};
  PutTime("until", cooldown.until, &json);
  json["ends_in_seconds"] = ToSeconds(cooldown.until - now);
  json["probes"] = cooldown.probes;
  return json;
}

Json LimitJson(const guard::LimitView& limit) {
  return {{"resource", limit.resource},
          {"quota", limit.quota},
          {"unit", limit.unit},
          {"limit", JsonNumber(limit.limit)},
          {"window_seconds", JsonNumber(limit.window_seconds)},
          {"available", JsonNumber(limit.available)},
          {"reserved", JsonNumber(limit.reserved)}};
}

Json SlotsJson(const std::optional<guard::SlotsView>& slots) {
  if (!slots) return nullptr;
  return {{"in_use", slots->in_use}, {"limit", slots->limit}, {"max", slots->max}};
}

Json ShadowJson(const guard::KeyView& view, SystemTime now) {
  Json json = {{"in_flight", view.in_flight},
               {"slots", SlotsJson(view.slots)},
               {"cooldowns", Json::array()},
               {"limits", Json::array()}};
  for (const guard::CooldownView& cooldown : view.cooldowns)
    json["cooldowns"].push_back(CooldownJson(cooldown, now));
  for (const guard::LimitView& limit : view.limits) json["limits"].push_back(LimitJson(limit));
  return json;
}

Json KeyJson(const guard::AccountView& account, SystemTime now) {
  const guard::KeyView& view = account.view;
  Json json = {{"key", account.key},      {"in_flight", view.in_flight}, {"slots", SlotsJson(view.slots)},
               {"waiting", view.waiting}, {"queues", Json::array()},     {"cooldowns", Json::array()},
               {"limits", Json::array()}};
  for (const guard::QueueView& queue : view.queues) {
    json["queues"].push_back({{"resource", queue.resource},
                              {"depth", queue.depth},
                              {"oldest_seconds", SecondsSince(queue.oldest, now)}});
  }
  for (const guard::CooldownView& cooldown : view.cooldowns)
    json["cooldowns"].push_back(CooldownJson(cooldown, now));
  for (const guard::LimitView& limit : view.limits) json["limits"].push_back(LimitJson(limit));
  json["shadow"] = account.shadow ? ShadowJson(*account.shadow, now) : Json(nullptr);
  return json;
}

// mode → decision → rule → count; each mode and decision is there, whether it was ever taken or not.
Json DecisionsJson(const std::string& api, const std::vector<DecisionCount>& decisions) {
  Json json = Json::object();
  for (const char* mode : {"on", "shadow"}) {
    for (const char* decision : {"allow", "delay", "reject"}) json[mode][decision] = Json::object();
  }
  for (const DecisionCount& each : decisions) {
    if (each.api == api) json[each.mode][each.decision][each.rule] = each.count;
  }
  return json;
}

Json ApiJson(const GuardedFacts& api, const GuardFacts& facts, SystemTime now) {
  const guard::Options& options = api.options;
  const QueueFacts queue = api.queue.value_or(QueueFacts{});
  Json keys = Json::array();
  for (const guard::AccountView& account : facts.accounts) {
    if (account.api == api.api) keys.push_back(KeyJson(account, now));
  }
  return {{"api", api.api},
          {"mode", Word(options.mode)},
          {"parts",
           {{"pace", Word(options.ModeOf(options.pace))},
            {"queue", Word(options.ModeOf(options.queue))},
            {"retry", Word(options.ModeOf(options.retry))},
            {"cooldown", Word(options.ModeOf(options.cooldown))},
            {"concurrency", Word(options.ModeOf(options.concurrency))},
            {"breaker", Word(options.ModeOf(options.breaker))},
            {"cache", Word(options.ModeOf(options.cache))}}},
          {"queue",
           {{"depth", queue.depth},
            {"capacity", options.queue.size},
            {"oldest_seconds", SecondsSince(queue.oldest, now)},
            {"overdue_seconds", JsonNumber(OverdueSeconds(queue, now))}}},
          {"decisions", DecisionsJson(api.api, facts.decisions)},
          {"breaker", BreakerJson(api.whole.breaker, now)},
          {"limits", OwnLimitsJson(api.whole.limits, now)},
          {"cache", CacheJson(api.cache)},
          {"routes", RoutesJson(api.whole.routes)},
          {"keys", std::move(keys)}};
}

Json TokensJson(const guard::TokenCost& tokens) {
  if (tokens == guard::TokenCost{}) return nullptr;
  return {{"input", JsonNumber(tokens.input)},
          {"output", JsonNumber(tokens.output)},
          {"counted", JsonNumber(tokens.counted)}};
}

Json HeldByJson(const guard::HeldBy& by) {
  return {{"resource", by.resource},
          {"quota", by.quota},
          {"unit", by.unit},
          {"limit", JsonNumber(by.limit)},
          {"window_seconds", JsonNumber(by.window_seconds)},
          {"available", JsonNumber(by.available)},
          {"cost", JsonNumber(by.cost)}};
}

Json DecisionJson(const std::optional<guard::Decision>& told) {
  if (!told) return nullptr;
  const guard::Decision& decision = *told;
  Json json = Json::object();
  PutTime("at", decision.at, &json);
  json["decision"] = ToText(decision.kind);
  json["rule"] = ToText(decision.reason);
  json["resource"] = decision.resource;
  json["another_attempt"] = decision.again;
  json["tokens"] = TokensJson(decision.tokens);
  json["quota"] = decision.held_by ? HeldByJson(*decision.held_by) : Json(nullptr);
  json["evidence"] = decision.evidence.empty() ? Json(nullptr) : Json(decision.evidence);
  json["waiting_before"] = decision.waiting_before ? Json(*decision.waiting_before) : Json(nullptr);
  PutTime("could_go", decision.could_go, &json);
  json["wait_seconds"] = decision.could_go ? JsonNumber(ToSeconds(*decision.could_go - decision.at)) : Json();
  PutTime("deadline", decision.deadline, &json);
  json["patience_seconds"] = JsonNumber(ToSeconds(decision.deadline - decision.at));
  json["waited_seconds"] = decision.waited ? JsonNumber(ToSeconds(*decision.waited)) : Json(nullptr);
  return json;
}

Json LastJson(const guard::KeyView& view) {
  return {{"last", DecisionJson(view.last)}, {"last_held", DecisionJson(view.last_held)}};
}

}  // namespace

std::string GuardJson(const GuardFacts& facts, SystemTime now) {
  Json json = Json::object();
  PutTime("at", now, &json);
  json["apis"] = Json::array();
  for (const GuardedFacts& api : facts.apis) json["apis"].push_back(ApiJson(api, facts, now));
  return JsonText(json);
}

std::string GuardExplainJson(const GuardFacts& facts, SystemTime now) {
  Json json = Json::object();
  PutTime("at", now, &json);
  const GuardedFacts& api = facts.apis.front();
  json["api"] = api.api;
  json["mode"] = Word(api.options.mode);
  json["last_refused"] = RefusalJson(api.whole.last_refused);
  json["shadow"] = {{"last_refused", RefusalJson(api.whole.last_judged)}};
  json["keys"] = Json::array();
  for (const guard::AccountView& account : facts.accounts) {
    Json& key = json["keys"].emplace_back(Json::object());
    key["key"] = account.key;
    key.update(LastJson(account.view));
    key["shadow"] = account.shadow ? LastJson(*account.shadow) : Json(nullptr);
  }
  return JsonText(json);
}

}  // namespace apiquota::expose
