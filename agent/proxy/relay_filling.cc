// Answers on their way into a cache. Each piece is kept before it goes to the client, so that who has read an
// answer to its end finds it kept when it asks again, by whatever loop. A client that falls
// behind reads on from what is kept, so that who waits for the same answer does not wait for it; and one that
// goes leaves its request behind, an orphan, for as long as somebody or the cache wants the answer.
#include <utility>

#include "proxy/relay.h"
#include "proxy/worker.h"

namespace apiquota::proxy {

// What does not go to the client is observed all the same; nobody waits for the rest of a failure.
void Relay::OnCachedResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                             bool complete) {
  attempt_record_.Response(head, body);
  if (head != nullptr && cached_->Replaces(*head, throttled())) {
    if (complete) return;
    return ServeReplacement(false);
  }
  if (cached_->replacing()) return;
  RelayFilling(head, body, complete);
}

void Relay::RelayFilling(const http::ResponseHead* head, std::span<const std::string_view> body,
                         bool complete) {
  FilledBody& fill = cached_->fill();
  if (fill.behind()) return FillBehind(body, complete);
  if (head != nullptr) {
    cached_->NoteChange(*head);
    cached_->BeginFill(*head, request_record_.exchange());
  }
  if (cached_->filling() && !fill.Add(body)) cached_->GiveUpFilling();
  if (complete) Conclude();
  if (head != nullptr) {
    SendHead(*head, body, complete);
    AnsweredWith(head->status);
    attempt_record_.HeadSent();
  } else {
    connection_.Send(nullptr, nullptr, body, complete);
  }
  if (complete) return;
  if (orphan_) return cached_->filling() ? void() : EndOrphan();
  if (connection_.unsent() < worker_.shared().options.buffer_high_bytes) return;
  cached_->filling() ? fill.FallBehind() : attempt_.Pause();
}

void Relay::FillBehind(std::span<const std::string_view> body, bool complete) {
  FilledBody& fill = cached_->fill();
  if (complete) fill.Complete();
  if (cached_->filling() && fill.Add(body)) return;
  if (cached_->filling()) cached_->GiveUpFilling();
  fill.AddUnsent(body);
  if (!complete) attempt_.Pause();
}

void Relay::OnDrained() {
  if (!cached_ || !cached_->fill().behind()) return attempt_.Resume();
  SendUnsent();
  if (!cached_->fill().behind()) attempt_.Resume();
}

void Relay::OnCachedComplete() {
  if (cached_->replacing()) return ServeReplacement(true);
  Conclude();
  FinishRecords(true);
  if (orphan_) worker_.Remove(*this);
}

// `whole`: all has come of what is replaced; else it is cut off.
void Relay::ServeReplacement(bool whole) {
  attempt_.Cancel();
  attempt_record_.Finish();
  ServeAnswer(cached_->Replacement(request_record_.exchange()), whole);
}

void Relay::RelayHeldCached(const HeldAnswer& held) {
  if (cached_->Replaces(held.head(), throttled())) return ServeReplacement(held.complete());
  const std::string_view body[] = {held.body()};
  RelayFilling(&held.head(), std::span(body, held.body().empty() ? 0 : 1), held.complete());
  if (held.complete()) OnCachedComplete();
}

// True: the relay goes on without its client.
bool Relay::BecomesOrphan() {
  if (orphan_ || !cached_->Outlives(request_sent_)) return false;
  orphan_ = worker_.Adopt(*this);
  cached_->Orphaned(orphan_);
  if (!orphan_) return false;
  cached_->fill().ReadNoMore();
  attempt_.Resume();
  worker_.loop().timers().Arm(cached_->timer(), request_record_.route().timeouts.first_byte);
  return true;
}

void Relay::AnsweredWith(int status) {
  if (!orphan_) request_record_.AnsweredWith(status);
}

void Relay::EndOrphan() {
  attempt_.Cancel();
  FinishRecords(false);
  worker_.Remove(*this);
}

}  // namespace apiquota::proxy
