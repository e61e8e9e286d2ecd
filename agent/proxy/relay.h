// What the proxy does for one client's connection, a request at a time: decides about it (admission, route,
// key), has an Attempt ask the upstream, passes the body on and the response back, and records what happened.
// A client that leaves takes its attempt with it at once. Belongs to one worker's loop.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apis/route_table.h"
#include "http/links.h"
#include "net/server_connection.h"
#include "proxy/attempt.h"
#include "proxy/attempt_record.h"
#include "proxy/cached_request.h"
#include "proxy/guarded_request.h"
#include "proxy/request_record.h"

namespace apiquota::proxy {

class Worker;

class Relay final : public net::TimerLink,
                    private net::RequestHandler,
                    private net::TimerHandler,
                    private ResponseSink {
 public:
  Relay(Worker& worker, net::Stream stream);

  // Instead of being served, its first request is told that there are too many clients.
  void TurnAway() { turned_away_ = true; }
  // No further request: an idle connection is closed, a busy one after its response.
  void Drain() { connection_.Drain(); }
  // At once; a response under way ends in a reset.
  void Abort() { connection_.Abort(); }
  bool turned_away() const { return turned_away_; }
  bool orphan() const { return orphan_; }
  // Its request's wait is over: for its turn, for somebody else's answer.
  void OnGranted(guard::Granted granted);
  void OnOutcome(cache::Outcome outcome);
  // Its client has gone, and it works for a cache and for those who wait: what for, if nobody does?
  bool Followed() const { return cached() && cached_->Followed(); }
  void EndOrphan();

 private:
  // relay_request.cc: from the client to the upstream
  void OnRequest(std::span<const std::string_view> body, bool complete) override;
  bool WantsBody() override;
  void OnBody(std::span<const std::string_view> body, bool complete) override;
  void OnRefused(const http::Refusal& refusal, bool request_begun) override;
  void OnDrained() override;
  void OnGone() override;
  bool Decide(apis::RouteMatch* match, apis::FoundCredential* found, apis::KeyChoice* choice);
  bool MayAsk(const http::RequestHead& head);  // by the name it asks for
  void Forward(SteadyTime now, std::string upstream_head, std::string websocket_accept,
               std::span<const std::string_view> body, bool complete);
  void PassBody(std::span<const std::string_view> body, bool complete);
  void AnswerOwn(std::string_view path);  // a page of the agent's own
  bool StartAttempt(SteadyTime now, std::string upstream_head, std::string websocket_accept);
  void BuildUpstreamHead(const apis::RouteMatch& match, const apis::FoundCredential& found,
                         const apis::KeyChoice& choice, bool websocket, std::string* out);
  void Refuse(const http::Refusal& refusal);
  void Reject(metrics::Rejection rejection, std::string_view detail, std::string_view api = {});
  void Answer(const metrics::ReasonInfo& info, std::string_view detail);

  // relay_response.cc: from the upstream to the client
  void OnConnection(bool waited) override;
  void OnRequestSent() override;
  void OnUpstreamDrained() override { connection_.ResumeBody(); }
  void OnInterim(const http::ResponseHead& head) override;
  void OnSwitched(const http::ResponseHead& head) override;
  void OnResponseArrived() override { attempt_record_.ResponseArrived(); }
  void OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                  bool complete) override;
  void OnComplete() override;
  void OnAttemptFailed(metrics::UpstreamError error, std::string_view detail) override;
  void Conclude();
  const http::ResponseHead& Explained(const http::ResponseHead& head);
  void SendHead(const http::ResponseHead& head, std::span<const std::string_view> body, bool complete);
  std::optional<http::LinkMapping> Links() const;

  // relay_guarded.cc: what the guard decides
  bool guarded() const { return guarded_ && guarded_->active(); }
  bool throttled() const { return guarded() && guarded_->throttled(); }
  void BeginGuarded(SteadyTime now, std::string upstream_head, std::string websocket_accept,
                    std::span<const std::string_view> body, bool complete);
  void OnGuardedBody(std::span<const std::string_view> body, bool complete);
  void AskForTurn();
  void Watch();
  void CarryOut(GuardedRequest::Step step);
  void SendGuarded();
  void RefuseGuarded();
  void OnHeldResponse(const http::ResponseHead* head, std::span<const std::string_view> body, bool complete);
  void JudgeHeld();
  void RelayHeld();
  bool RepeatsAfter(metrics::UpstreamError error);
  void OnTimer(net::Timer& timer) override;

  // relay_cached.cc: what the cache decides
  bool cached() const { return cached_ && cached_->active(); }
  bool BeginCached(const DecidedRequest& request, bool whole);
  void GoOnCached(SteadyTime now, std::string upstream_head, std::span<const std::string_view> body,
                  bool complete);
  void OnCachedBody(std::span<const std::string_view> body, bool complete);
  void WatchBody(std::span<const std::string_view> body, bool complete);
  void CarryOut(CachedRequest::Step step);
  void Join();
  void AskUpstream();
  void ServeAnswer(const cache::AnswerPtr& answer, bool exchanged);
  bool ServesInstead(bool for_all);
  void OnCacheTimer();

  // relay_filling.cc: answers on their way into the cache
  void OnCachedResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                        bool complete);
  void RelayFilling(const http::ResponseHead* head, std::span<const std::string_view> body, bool complete);
  void FillBehind(std::span<const std::string_view> body, bool complete);
  void OnCachedComplete();
  void RelayHeldCached(const HeldAnswer& held);
  void ServeReplacement(bool whole);
  void SendUnsent();
  bool BecomesOrphan();
  void AnsweredWith(int status);  // if there is a client

  void FinishRecords(bool whole);  // whole: the response came to its end

  Worker& worker_;
  const bool loopback_;
  bool turned_away_ = false;
  std::shared_ptr<const apis::RouteTable> routes_;
  std::string host_allowed_;  // the last that was: a client hardly ever changes it
  uint64_t attempts_begun_ = 0;
  bool request_sent_ = false;  // the head, by the last of them
  std::string_view withheld_;  // a key that went into the query upstream: no address of the answer shows it
  RequestRecord request_record_;
  AttemptRecord attempt_record_;
  std::unique_ptr<GuardedRequest> guarded_;  // null: no request of this connection was guarded yet
  std::unique_ptr<CachedRequest> cached_;    // null: … had a cache
  bool orphan_ = false;                      // the client has gone, its request goes on
  Attempt attempt_;
  net::ServerConnection connection_;  // last: what it tells of is there
};

}  // namespace apiquota::proxy
