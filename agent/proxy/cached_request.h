// One client's request and its api's cache (cache/api_cache.h): whether it is answered from memory, waits for
// the answer to an identical one, or asks upstream, for itself or for all who wait; and what becomes of the
// answer that comes. What it decides is carried out by Relay (relay_cached.cc, relay_filling.cc).
//
// Who leads and goes without a word has failed; who follows and goes leaves: on every way out, End, another
// Begin, its destruction. One per client connection whose apis have a cache, reused from request to request.
// Belongs to one loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/api_cache.h"
#include "metrics/cache_metrics.h"
#include "net/timer_wheel.h"
#include "proxy/cache_question.h"
#include "proxy/caches.h"
#include "proxy/filled_body.h"
#include "proxy/request_record.h"

namespace apiquota::proxy {

class CachedRequest {
 public:
  enum class Step : uint8_t {
    kServe,         // TakeServed() is the answer
    kAsk,           // upstream
    kFollow,        // Take() follows, once there is an outcome
    kOnlyIfCached,  // its client wants nothing else, and there is nothing
  };

  // `timer` is told of the end of what its request waits for. All of it must outlive the object.
  CachedRequest(Caches& caches, const Clock& clock, KeptBytes& kept, RequestRecord& record,
                net::TimerHandler& timer);
  ~CachedRequest();

  // The record is active; `whole`: the request has no body. False: it is nothing to a cache.
  bool Begin(const DecidedRequest& request, bool whole);
  bool active() const { return phase_ != Phase::kIdle; }
  // Its body is wanted; `reads_body`: and the request waits for the rest of it.
  bool wants_body() const { return phase_ == Phase::kBody; }
  bool reads_body() const { return wants_body() && serves_; }
  bool looking() const { return phase_ == Phase::kLooking; }
  KeptBody& body() { return body_; }
  // It is answered by the API alone, and that answer is nobody else's.
  void Bypass();

  // The request is whole: is there an answer? Once. kAsk: Join before upstream is asked, if still active.
  Step Find();
  // There is none: who asks? `follower`: how this one would be woken.
  Step Join(cache::Follower follower);
  Step Take(cache::Outcome outcome);
  uint64_t follower() const { return phase_ == Phase::kFollowing ? follower_.id : 0; }
  void FollowNoMore();  // it has waited for long enough: it asks for itself

  // Stands in the request as it is sent upstream, in the place of the client's own conditions; valid while it
  // is under way.
  std::optional<http::FieldView> condition() const;

  // An answer's head has come. True: it does not go to the client, because it confirms what is kept, or is a
  // failure in whose place something kept may stand; served once all of it has come. `throttled`: it is known
  // to be a refusal for want of quota, whatever its status.
  bool Replaces(const http::ResponseHead& head, bool throttled);
  bool replacing() const { return phase_ == Phase::kReplacing; }
  cache::AnswerPtr Replacement(const http::Exchange& exchange);
  // There is no answer of the API's: what may stand in its place; null: nothing. `for_all`: who waits for it
  // gets that, too; else one of them is the next to ask.
  cache::AnswerPtr Instead(bool for_all);

  // An answer's head is about to be sent: what it says to have changed is not what is kept.
  void NoteChange(const http::ResponseHead& head);
  // No answer has come to what the API was asked for: a change may have been made all the same.
  void NoteLost();
  // The answer that the client gets has begun.
  void BeginFill(const http::ResponseHead& head, const http::Exchange& exchange);
  bool filling() const { return phase_ == Phase::kFilling; }
  FilledBody& fill() { return fill_; }
  void GiveUpFilling();
  // All of it has come. `tokens`: what it took, where that is known. A refusal for want of quota is shared by
  // who waits, and not kept: what it says is true of its moment, however long it calls itself fresh.
  void Filled(std::optional<double> tokens, bool throttled);

  // Whether what its client asked for is wanted although that has gone. `sent`: the API has been asked.
  bool Outlives(bool sent) const;
  // Its client has gone, for good; `goes_on`: without it, else it is given up.
  void Orphaned(bool goes_on);
  bool Followed() const { return lead_ && lead_.Followed(); }

  cache::AnswerPtr TakeServed() { return std::move(served_); }
  cache::Served Serve(const cache::Answer& answer) const;

  void End();
  void Forget();  // the routes of before are about to go
  net::Timer& timer() { return timer_; }
  std::string& upstream_head() { return upstream_head_; }  // while it waits

 private:
  enum class Phase : uint8_t {
    kIdle,
    kBody,
    kLooking,
    kFollowing,
    kAsking,     // upstream: for itself, or as the leader
    kFilling,    // what is asked for comes
    kReplacing,  // what comes is not for the client
    kUnsafe,     // asks for a change, which makes what is kept untrue …
    kChanged,    // … and its answer has come
  };

  SystemTime now() const { return clock_.RunningNow().at; }
  const guard::CacheOptions& options() const { return *record_.route().guard.cache; }
  cache::ApiCache& answers() const { return *store_->answers; }
  bool FindStore();
  Step Serve(cache::AnswerPtr answer, metrics::CacheResult result);
  Step FindAgain();
  void Count(metrics::CacheResult result);
  cache::AnswerPtr Confirmed(const http::Exchange& exchange);
  void FilledForNobody();

  Caches& caches_;
  const Clock& clock_;
  RequestRecord& record_;
  net::Timer timer_;
  KeptBody body_;
  CacheQuestion question_;
  FilledBody fill_;
  std::string upstream_head_;

  const apis::Route* route_ = nullptr;  // whose store it is
  std::shared_ptr<AnswerStore> store_;

  std::shared_ptr<AnswerStore> orphan_of_;  // where it is counted

  Phase phase_ = Phase::kIdle;
  bool serves_ = false;  // or only watches (mode: shadow)
  bool counted_ = false;
  Micros ttl_{};
  cache::Lead lead_;
  cache::Follower follower_;
  cache::AnswerPtr known_;        // what the condition is of
  cache::AnswerPtr replacement_;  // of a failure
  cache::AnswerPtr served_;
  cache::Storable storable_;
  http::ResponseHead head_;  // of what comes
  SystemTime asked_at_, received_at_;
  Micros system_ahead_{};
};

}  // namespace apiquota::proxy
