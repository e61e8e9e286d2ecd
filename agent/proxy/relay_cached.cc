// What an api's cache decides about a request, carried out (docs/guard.md, "Cache"): it is answered from
// memory before anything else is asked, waits for the answer to an identical one, or goes on as any other.
#include <algorithm>
#include <utility>

#include "proxy/guard_fields.h"
#include "proxy/relay.h"
#include "proxy/worker.h"

namespace apiquota::proxy {
namespace {

constexpr size_t kPieceMax = 32 * 1024;  // of an answer's body, in one write
constexpr int kGatewayTimeout = 504;     // RFC 9111 section 5.2.1.7

}  // namespace

// True: it has been answered.
bool Relay::BeginCached(const DecidedRequest& request, bool whole) {
  Shared& shared = worker_.shared();
  if (shared.caches == nullptr) return false;
  if (request_record_.route().guard.ModeOf(request_record_.route().guard.cache) == guard::Mode::kOff)
    return false;
  if (!cached_) {
    net::TimerHandler& timer = *this;
    cached_ = std::make_unique<CachedRequest>(*shared.caches, shared.clock, shared.kept_bodies,
                                              request_record_, timer);
  }
  request_sent_ = false;
  if (!cached_->Begin(request, whole) || !cached_->looking()) return false;
  const bool injects = request.choice.action == apis::KeyChoice::Action::kInject;
  const bool in_query = injects && InjectsInQuery(Info(*request.match.route->exporter), request.found);
  withheld_ = in_query ? request.choice.key->value.Reveal() : std::string_view();
  const CachedRequest::Step step = cached_->Find();
  if (step != CachedRequest::Step::kAsk) CarryOut(step);
  return step != CachedRequest::Step::kAsk;
}

// There is no answer yet, or not all of the question.
void Relay::GoOnCached(SteadyTime now, std::string upstream_head, std::span<const std::string_view> body,
                       bool complete) {
  if (cached_->reads_body()) {
    cached_->upstream_head() = std::move(upstream_head);
    OnCachedBody(body, complete);
    if (cached_->reads_body()) connection_.Continue();
    return;
  }
  if (cached_->wants_body()) WatchBody(body, complete);
  if (!cached_->looking()) return Forward(now, std::move(upstream_head), {}, body, complete);
  cached_->upstream_head() = std::move(upstream_head);
  Join();
}

void Relay::OnCachedBody(std::span<const std::string_view> body, bool complete) {
  cached_->body().Add(body);
  if (!complete && !cached_->body().full()) return;
  if (!complete) cached_->Bypass();
  const CachedRequest::Step step = complete ? cached_->Find() : CachedRequest::Step::kAsk;
  if (step != CachedRequest::Step::kAsk) return CarryOut(step);
  cached() ? Join() : AskUpstream();
}

// It is sent as it comes, whatever the cache would say of it.
void Relay::WatchBody(std::span<const std::string_view> body, bool complete) {
  cached_->body().AddSent(body);
  if (!cached_->body().whole()) return cached_->Bypass();
  if (complete && cached_->Find() == CachedRequest::Step::kAsk && cached()) cached_->Join({});
}

void Relay::Join() { CarryOut(cached_->Join(worker_.NextFollower())); }

void Relay::CarryOut(CachedRequest::Step step) {
  switch (step) {
    case CachedRequest::Step::kServe:
      return ServeAnswer(cached_->TakeServed(), false);
    case CachedRequest::Step::kAsk:
      return AskUpstream();
    case CachedRequest::Step::kFollow: {
      // As long as it would have waited for an answer of its own.
      const auto& route = request_record_.route();
      const auto timeout = ClientTimeoutOf(connection_.request().fields, route.guard.queue);
      worker_.Follow(cached_->follower(), *this);
      worker_.loop().timers().Arm(cached_->timer(),
                                  std::min(route.timeouts.first_byte, timeout.value_or(Micros::max()) / 2));
      return;
    }
    case CachedRequest::Step::kOnlyIfCached:
      request_record_.AnsweredWith(kGatewayTimeout);
      FinishRecords(false);
      return connection_.Answer({.status = kGatewayTimeout,
                                 .rule = "only_if_cached",
                                 .detail = "the client asked for nothing but an answer from memory, and "
                                           "there is none"});
  }
}

void Relay::OnOutcome(cache::Outcome outcome) {
  if (cached_->follower() != 0) CarryOut(cached_->Take(std::move(outcome)));
}

// All of the request is there, or what of its body has been kept so far.
void Relay::AskUpstream() {
  const SteadyTime now = worker_.shared().clock.SteadyNow();
  request_record_.BeginsAt(now);
  const std::string_view kept[] = {cached_->body().bytes()};
  Forward(now, std::exchange(cached_->upstream_head(), {}), {}, std::span(kept, kept[0].empty() ? 0 : 1),
          connection_.request_complete());
  cached_->body().LetGo();
}

// A small answer leaves in one write; a large one as fast as its client reads, which holds the answer and no
// copy of it. `exchanged`: the API has said something, and all of it.
void Relay::ServeAnswer(const cache::AnswerPtr& answer, bool exchanged) {
  if (orphan_) {
    FinishRecords(exchanged);
    return worker_.Remove(*this);
  }
  const cache::Served served = cached_->Serve(*answer);
  const auto links = Links();
  const auto* const mapping = links ? &*links : nullptr;
  request_record_.AnsweredWith(served.head.status);
  FilledBody& body = cached_->fill();
  bool last = true;
  std::string_view piece = served.body;
  if (piece.size() > kPieceMax && connection_.request().method != "HEAD") {
    body.Read(answer, served.body, 0);
    piece = body.Next(kPieceMax, &last);
  }
  FinishRecords(exchanged);
  connection_.Send(&served.head, mapping, std::span(&piece, piece.empty() ? 0 : 1), last);
  if (!last) SendUnsent();
}

void Relay::SendUnsent() {
  FilledBody& body = cached_->fill();
  while (body.behind() && connection_.unsent() < worker_.shared().options.buffer_high_bytes) {
    bool last = false;
    const std::string_view piece = body.Next(kPieceMax, &last);
    if (piece.empty() && !last) break;
    connection_.Send(nullptr, nullptr, std::span(&piece, piece.empty() ? 0 : 1), last);
    if (last) return body.Clear();
  }
}

bool Relay::ServesInstead(bool for_all) {
  const cache::AnswerPtr answer = cached_->Instead(for_all);
  if (answer) ServeAnswer(answer, false);
  return answer != nullptr;
}

// Who follows has waited for long enough; or an orphan has, whom nobody may follow any more.
void Relay::OnCacheTimer() {
  if (const uint64_t follower = cached_->follower()) {
    worker_.FollowNoMore(follower);
    cached_->FollowNoMore();
    return AskUpstream();
  }
  if (!orphan_) return;
  if (!cached_->Followed()) return EndOrphan();
  worker_.loop().timers().Arm(cached_->timer(), request_record_.route().timeouts.first_byte);
}

}  // namespace apiquota::proxy
