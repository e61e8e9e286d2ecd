// What clients of a world ask, and what the operator does.
#include <algorithm>
#include <cmath>
#include <utility>

#include "guard/retry.h"
#include "world.h"

namespace apiquota::world {

void World::Reload(uint64_t number) {
  options_.options.pace.headroom = static_cast<double>(number % 3);
  subject_->Configure(options_, now_);
}

// Clients see their connections break, and loops come again.
void World::Restart() {
  subject_->Restart(now_);
  waiters_.clear();
  waiting_.clear();
  granted_.clear();
  timer_.reset();
  for (const auto& [id, call] : std::exchange(calls_, {})) {
    checks_.Waiting(ClientOf(call).flow, 0);
    if (ClientOf(call).kind == ClientOptions::Kind::kLoop) {
      At(now_ + habits_.Between(Micros(0), Micros(100ms)), Kind::kAsk, call.client);
    }
  }
}

void World::Other(uint64_t call) {
  if (call != 0) return api_.End(call, {}, now_);
  if (const uint64_t begun = api_.Other(now_); begun != 0)
    At(now_ + arrivals_.Around(options_.api.others_hold), Kind::kOther, begun);
  if (!over())
    At(now_ + arrivals_.Around(SecondsToMicros(1 / options_.api.others_per_second)), Kind::kOther, 0);
}

void World::Drain() {
  drained_by_ = now_ + 30s;
  grants_.clear();
  subject_->Drain(*drained_by_, now_, &grants_);
  for (const guard::Grant& grant : std::exchange(grants_, {})) Grant(grant);
}

void World::Begin(size_t client) {
  if (over()) return;
  const ClientOptions& options = options_.clients[client];
  switch (options.kind) {
    case ClientOptions::Kind::kLoop:
      for (size_t i = 0; i < options.workers; ++i) NewCall(client);
      return;
    case ClientOptions::Kind::kPoisson:
      NewCall(client);
      At(now_ + arrivals_.Around(SecondsToMicros(1 / options.per_second)), Kind::kBegin, client);
      return;
    case ClientOptions::Kind::kBursts:
      for (size_t i = 0; i < options.burst; ++i) NewCall(client);
      At(now_ + options.every, Kind::kBegin, client);
      return;
  }
}

void World::NewCall(size_t client) {
  const ClientOptions& options = options_.clients[client];
  const uint64_t id = ++last_call_;
  Call& call = calls_[id];
  call.client = client;
  call.came = now_;
  call.home = static_cast<uint32_t>(id % options_.loops);
  const auto median = options.timeout ? subject_->ModelOf(options.resource, options.route).median_first_byte
                                      : std::optional<Micros>();
  call.deadline = guard::DeadlineFor(options.timeout, options_.options.queue, median, now_);
  if (options.tokens) DrawTokens(options, &call);
  ++report_.requests;
  ++report_.flows[client].requests;
  if (habits_.Chance(options.leaves)) {
    At(now_ + habits_.Between(Micros(0), options.leaves_within), Kind::kLeave, id);
  }
  if (options.timeout) At(now_ + *options.timeout, Kind::kLeave, id);
  AskTurn(id, false, {});
}

void World::DrawTokens(const ClientOptions& client, Call* call) {
  const TokenHabits& tokens = *client.tokens;
  call->actual.input_tokens = std::ceil(tokens.input * habits_.Between(0.5, 1.5));
  call->actual.output_tokens =
      std::ceil(std::min(tokens.cap, tokens.cap * tokens.used * habits_.Between(0.2, 1.8)));
  call->asked = {call->actual.input_tokens, tokens.cap};
  const double ratio =
      tokens.tokens_per_byte * habits_.Between(1 - tokens.ratio_spread, 1 + tokens.ratio_spread);
  const guard::TokenModel model = subject_->ModelOf(client.resource, client.route);
  call->text_bytes = call->actual.input_tokens / ratio;
  call->reserved.input = call->text_bytes * model.tokens_per_byte;
  call->reserved.output =
      client.capped ? tokens.cap : std::min(tokens.cap, model.output.value_or(tokens.cap));
  call->reserved.counted = call->reserved.input + call->reserved.output;
}

}  // namespace apiquota::world
