#include "proxy/cached_request.h"

#include <utility>

#include "proxy/remembered_head.h"

namespace apiquota::proxy {
namespace {

using metrics::CacheResult;

bool ReadsOnly(std::string_view method) { return method == "GET" || method == "HEAD"; }
bool ChangesNothing(std::string_view method) { return method == "OPTIONS" || method == "TRACE"; }

}  // namespace

CachedRequest::CachedRequest(Caches& caches, const Clock& clock, KeptBytes& kept, RequestRecord& record,
                             net::TimerHandler& timer)
    : caches_(caches), clock_(clock), record_(record), timer_(timer), body_(kept) {}

CachedRequest::~CachedRequest() {
  if (orphan_of_) orphan_of_->orphans.fetch_sub(1, std::memory_order_relaxed);
  End();
  fill_.Clear();
}

bool CachedRequest::FindStore() {
  if (route_ != &record_.route()) {
    route_ = &record_.route();
    store_ = caches_.For(route_->api);
  }
  return store_ != nullptr;
}

void CachedRequest::Forget() {
  route_ = nullptr;
  question_.Forget();
}

bool CachedRequest::Begin(const DecidedRequest& request, bool whole) {
  End();
  fill_.Clear();
  if (!FindStore()) return false;
  const guard::Options& guard = record_.route().guard;
  const std::string_view method = request.head.method;
  serves_ = guard.ModeOf(guard.cache) == guard::Mode::kOn;
  counted_ = false;
  const bool reads = ReadsOnly(method);
  if ((reads && !whole) || ChangesNothing(method)) return Count(CacheResult::kBypass), false;
  question_.Set(request, record_.exchange().path);
  if (reads) {
    phase_ = Phase::kLooking;
    return true;
  }
  const auto* post = method == "POST" ? RememberedPost(options(), record_.exchange().path) : nullptr;
  if (post == nullptr) {
    Count(CacheResult::kBypass);
    phase_ = Phase::kUnsafe;
    return true;
  }
  ttl_ = post->ttl;
  body_.Begin({.bytes_max = guard.retry.replay_bytes_max, .together_max = guard.retry.replay_memory_max});
  phase_ = Phase::kBody;
  return true;
}

void CachedRequest::Bypass() {
  Count(CacheResult::kBypass);
  phase_ = Phase::kIdle;
}

void CachedRequest::Count(CacheResult result) {
  if (std::exchange(counted_, true)) return;
  record_.route().metrics->cache().Count(result);
  if (AccessFacts* access = record_.access()) access->cache = ToText(result);
}

CachedRequest::Step CachedRequest::Serve(cache::AnswerPtr answer, CacheResult result) {
  Count(result);
  record_.route().metrics->cache().CountSaved(answer->tokens);
  served_ = std::move(answer);
  phase_ = Phase::kLooking;
  return Step::kServe;
}

CachedRequest::Step CachedRequest::Find() {
  if (phase_ == Phase::kBody && !question_.SetBody(body_.bytes(), ttl_)) return Bypass(), Step::kAsk;
  phase_ = Phase::kLooking;
  cache::Found found = answers().Find(question_.get(), now());
  if (found.bypass) return Bypass(), Step::kAsk;
  if (!serves_) {
    if (found.use == cache::Use::kServe) Count(CacheResult::kShadowHit);
    return Step::kAsk;
  }
  switch (found.use) {
    case cache::Use::kServe:
      return Serve(std::move(found.answer), CacheResult::kHit);
    case cache::Use::kOnlyIfCached:
      Count(CacheResult::kMiss);
      return Step::kOnlyIfCached;
    case cache::Use::kRevalidate:
      known_ = std::move(found.answer);
      return Step::kAsk;
    case cache::Use::kNothing:
      break;
  }
  return Step::kAsk;
}

std::optional<http::FieldView> CachedRequest::condition() const {
  return known_ ? cache::ConditionOf(*known_) : std::nullopt;
}

// What HEAD is answered is nobody else's, and not kept.
CachedRequest::Step CachedRequest::Join(cache::Follower follower) {
  question_.KeepFields();
  phase_ = Phase::kAsking;
  if (!serves_ || question_.get().method == "HEAD") return Step::kAsk;
  bool alone = false;
  lead_ = answers().Join(question_.get(), follower, &alone, now());
  if (lead_) return FindAgain();
  if (alone) return Step::kAsk;
  follower_ = follower;
  phase_ = Phase::kFollowing;
  return Step::kFollow;
}

// Another loop's leader may have kept what it wants, and gone, between the look and the lead.
CachedRequest::Step CachedRequest::FindAgain() {
  const cache::Found found = answers().Find(question_.get(), now());
  if (found.use != cache::Use::kServe) return Step::kAsk;
  lead_.Share(found.answer);
  return Serve(found.answer, CacheResult::kHit);
}

// By what an answer varies is known only now: one that was selected by other fields is none to this request.
CachedRequest::Step CachedRequest::Take(cache::Outcome outcome) {
  timer_.Disarm();
  phase_ = Phase::kAsking;
  if (outcome.answer && cache::Selection(*question_.get().fields).Matches(outcome.answer->varies))
    return Serve(std::move(outcome.answer), CacheResult::kCoalesced);
  lead_ = std::move(outcome.lead);
  return Step::kAsk;
}

void CachedRequest::FollowNoMore() {
  answers().Leave(follower_);
  phase_ = Phase::kAsking;
}

bool CachedRequest::Replaces(const http::ResponseHead& head, bool throttled) {
  if (phase_ != Phase::kAsking || !serves_) return false;
  const bool confirms = head.status == 304 && condition();
  const bool fails = head.status >= 500 || head.status == 429 || throttled;
  if (fails) replacement_ = answers().FindForError(question_.get(), now());
  if (!confirms && !replacement_) return false;
  head_ = head;
  phase_ = Phase::kReplacing;
  return true;
}

cache::AnswerPtr CachedRequest::Replacement(const http::Exchange& exchange) {
  cache::AnswerPtr answer = replacement_ ? replacement_ : Confirmed(exchange);
  if (replacement_) Count(CacheResult::kStale);
  if (lead_) lead_.Share(answer);
  return answer;
}

// A 304 of another entity tag than was asked about says no more than that what is kept still holds.
cache::AnswerPtr CachedRequest::Confirmed(const http::Exchange& exchange) {
  Count(CacheResult::kRevalidated);
  if (Info(*record_.route().exporter).not_modified_is_free)
    record_.route().metrics->cache().CountSaved(known_->tokens);
  if (!cache::Confirms(head_, *known_)) return known_;
  auto fresh = std::make_shared<cache::Answer>(cache::Freshened(
      *known_, question_.get(), head_, exchange.sent_at, exchange.received_at, exchange.system_ahead));
  ForgetQuotas(*record_.route().exporter, &fresh->head.fields);
  answers().Keep(question_.get(), fresh);
  return fresh;
}

cache::AnswerPtr CachedRequest::Instead(bool for_all) {
  if (!serves_ || phase_ == Phase::kUnsafe || phase_ == Phase::kChanged) return nullptr;
  cache::AnswerPtr answer = replacement_ ? replacement_ : answers().FindForError(question_.get(), now());
  if (answer) Count(CacheResult::kStale);
  if (answer && for_all && lead_) lead_.Share(answer);
  return answer;
}

// Whoever has read the answer to a change finds nothing of before it.
void CachedRequest::NoteChange(const http::ResponseHead& head) {
  if (phase_ != Phase::kUnsafe) return;
  answers().Invalidate(question_.get(), head, record_.route().base.authority, now());
  phase_ = Phase::kChanged;
}

void CachedRequest::NoteLost() {
  if (phase_ == Phase::kUnsafe) answers().InvalidateUnanswered(question_.get(), now());
}

void CachedRequest::BeginFill(const http::ResponseHead& head, const http::Exchange& exchange) {
  if (phase_ != Phase::kAsking) return;
  storable_ = cache::Judge(question_.get(), head, options().stale_if_error);
  if (lead_ && !storable_.shareable) lead_.Scatter(now());
  if (!storable_.keep && !(storable_.shareable && lead_)) return;
  const size_t bytes_max = answers().answer_bytes_max();
  phase_ = Phase::kFilling;
  fill_.Begin(store_->filling, {.bytes_max = bytes_max, .together_max = options().size});
  if (head.framing == http::BodyFraming::kLength && head.content_length > bytes_max) return GiveUpFilling();
  head_ = head;
  asked_at_ = exchange.sent_at;
  received_at_ = exchange.received_at;
  system_ahead_ = exchange.system_ahead;
}

void CachedRequest::GiveUpFilling() {
  if (lead_) lead_.Scatter(now());
  fill_.LetGo();
  phase_ = Phase::kAsking;
}

void CachedRequest::Filled(std::optional<double> tokens, bool throttled) {
  if (phase_ != Phase::kFilling) return;
  if (throttled) storable_.keep = false;
  phase_ = Phase::kAsking;
  if (!storable_.keep && !Followed()) return FilledForNobody();
  auto answer = std::make_shared<cache::Answer>(
      cache::MakeAnswer(question_.get(), head_, fill_.Take(), asked_at_, received_at_, system_ahead_));
  ForgetQuotas(*record_.route().exporter, &answer->head.fields);
  answer->tokens = tokens;
  if (storable_.keep) answers().Keep(question_.get(), answer);
  if (lead_) lead_.Share(answer);
  if (fill_.behind()) fill_.Read(answer, answer->body, fill_.sent());
}

// Who comes at this very moment asks for itself.
void CachedRequest::FilledForNobody() {
  if (lead_) lead_.Share(nullptr);
  fill_.LetGo();
  fill_.Complete();
}

bool CachedRequest::Outlives(bool sent) const {
  if (!lead_) return false;
  const bool wanted = phase_ == Phase::kAsking || (phase_ == Phase::kFilling && storable_.keep);
  return lead_.Followed() || (sent && wanted);
}

void CachedRequest::Orphaned(bool goes_on) {
  if (!goes_on) {
    store_->orphans_given_up.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  orphan_of_ = store_;
  orphan_of_->orphans.fetch_add(1, std::memory_order_relaxed);
}

cache::Served CachedRequest::Serve(const cache::Answer& answer) const {
  cache::Served served = cache::Serve(answer, question_.get(), now());
  const bool confirmed = phase_ == Phase::kReplacing && !replacement_;
  if (confirmed) AddConfirmed(*record_.route().exporter, head_.fields, &served.head.fields);
  return served;
}

// What its client still reads of an answer goes on.
void CachedRequest::End() {
  if (phase_ == Phase::kIdle) return;
  timer_.Disarm();
  if (phase_ == Phase::kFollowing) answers().Leave(follower_);
  if (phase_ == Phase::kAsking || phase_ == Phase::kFilling) Count(CacheResult::kMiss);
  phase_ = Phase::kIdle;
  lead_ = cache::Lead();
  known_.reset();
  replacement_.reset();
  served_.reset();
  if (!fill_.behind()) fill_.Clear();
  body_.Clear();
}

}  // namespace apiquota::proxy
