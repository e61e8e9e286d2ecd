#include "poll/poller.h"

#include <map>
#include <mutex>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "apis/observe.h"
#include "apis/poll_target.h"
#include "http/date.h"
#include "net/alarm.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "poll/poll_log.h"
#include "poll/poll_turn.h"
#include "provider/body_reader.h"

namespace apiquota::poll {
namespace {

using TargetPtr = std::shared_ptr<const apis::PollTarget>;
using TargetId = std::tuple<std::string, std::string, std::string, std::string>;  // api, key, method, URL

TargetId IdOf(const apis::PollTarget& target) {
  return {target.route->api, target.key_label, target.endpoint().method, target.Url()};
}

net::HttpClientOptions ClientOptions(const PollerOptions& options, const PollerDeps& deps) {
  net::HttpClientOptions client;
  client.tls = deps.tls;
  client.own_ports = deps.own_ports;
  client.user_agent = deps.user_agent;
  client.requests_max = options.requests_max;
  client.connect_timeout = options.connect_timeout;
  client.timeout = options.timeout;
  client.head_bytes_max = options.head_bytes_max;
  client.body_bytes_max = options.body_bytes_max;
  return client;
}

// What configuration makes known exists from the start at 0.
void PrepareCounters(const apis::PollTarget& target) {
  metrics::ApiMetrics& metrics = *target.route->metrics;
  const apis::PollEndpoint& endpoint = target.endpoint();
  metrics.ForKey(target.key_label, "").UpstreamRequests(http::Door::kPoll, endpoint.method, 200);
  metrics.CountPollCost(target.key_label, endpoint.cost_unit, 0);
}

}  // namespace

class Poller::Impl {
 public:
  Impl(const PollerOptions& options, PollerDeps deps)
      : options_(options),
        deps_(std::move(deps)),
        observer_(deps_.ledger),
        loop_(deps_.clock),
        alarm_(loop_, [this] { BeginDue(); }),
        random_(std::random_device{}()) {}

  ~Impl() { Stop(); }

  void Stop() { loop_.Stop(); }

  void SetRoutes(const std::shared_ptr<const apis::RouteTable>& routes) {
    std::vector<apis::PollTarget> targets = PollTargets(routes);
    if (targets.empty() && !running_) return;
    for (const apis::PollTarget& target : targets) PrepareCounters(target);
    loop_.Post([this, targets = std::move(targets)] { Replace(targets); });
    if (!std::exchange(running_, true)) loop_.Start();
  }

  std::vector<PollStatus> Status() const {
    const SteadyTime steady = deps_.clock.SteadyNow();
    const SystemTime system = deps_.clock.SystemNow();
    const std::lock_guard lock(mutex_);
    std::vector<PollStatus> all;
    for (const auto& [id, state] : states_) {
      all.push_back(state.status);
      if (!state.under_way) {
        all.back().next_at = system + std::chrono::duration_cast<Micros>(state.times.due - steady);
      }
    }
    return all;
  }

 private:
  struct State {
    TargetPtr target;
    PollTimes times;
    bool under_way = false;
    PollStatus status;
  };

  // One poll under way; the target may meanwhile be gone or another.
  struct Attempt {
    TargetPtr target;
    SteadyTime began;  // when it was sent, once it has been
    SystemTime began_at;
    SystemTime sent_at;  // the same in running time
    guard::Ticket ticket;
  };

  void Replace(const std::vector<apis::PollTarget>& targets) {
    const SteadyTime now = deps_.clock.SteadyNow();
    std::map<TargetId, State> next;
    std::vector<State*> fresh;
    const std::lock_guard lock(mutex_);
    for (const apis::PollTarget& target : targets) {
      const auto [at, added] = next.try_emplace(IdOf(target));
      if (!added) continue;
      State& state = at->second;
      if (const auto old = states_.find(at->first); old != states_.end()) {
        state = std::move(old->second);
        state.times = Replan(state.target->endpoint().plan, target.endpoint().plan, state.times, now);
      } else {
        fresh.push_back(&state);
      }
      state.target = std::make_shared<apis::PollTarget>(target);
      state.status.api = target.route->api;
      state.status.key = target.key_label;
      state.status.method = target.endpoint().method;
      state.status.path = target.path();
      state.status.every = target.endpoint().plan.every;
    }
    for (size_t i = 0; i < fresh.size(); ++i) {
      fresh[i]->times = FirstPoll(fresh[i]->target->endpoint().plan, i, fresh.size(), now);
    }
    states_ = std::move(next);
    due_.clear();
    for (auto& [id, state] : states_) {
      if (!state.under_way) due_.emplace(state.times.due, &id);
    }
    SetAlarm();
  }

  void SetAlarm() {
    if (due_.empty()) return alarm_.Cancel();
    alarm_.Set(std::chrono::ceil<Micros>(due_.begin()->first - deps_.clock.SteadyNow()));
  }

  void BeginDue() {
    const std::lock_guard lock(mutex_);
    const SteadyTime now = deps_.clock.SteadyNow();
    while (!due_.empty() && due_.begin()->first <= now) {
      State& state = states_.at(*due_.begin()->second);
      due_.erase(due_.begin());
      state.under_way = true;
      state.status.next_at.reset();
      Begin(state.target);
    }
    SetAlarm();
  }

  void Begin(const TargetPtr& target) {
    const auto attempt = std::make_shared<Attempt>(
        Attempt{.target = target,
                .began = deps_.clock.SteadyNow(),
                .began_at = deps_.clock.SystemNow(),
                .sent_at = deps_.clock.RunningNow().at,
                .ticket = TakeTurn(deps_.guard, *target, deps_.clock.RunningNow().at)});
    net::ClientRequest request;
    request.method = target->endpoint().method;
    auto [url, fields] = target->Asked();
    request.url = std::move(url);
    request.fields = std::move(fields);
    request.private_allowed = target->route->private_allowed;
    request.on_sent = [this, attempt] { OnSent(*attempt); };
    client_.Send(std::move(request),
                 [this, attempt](net::ClientResult result) { OnResult(*attempt, result); });
  }

  void OnSent(Attempt& attempt) {
    attempt.began = deps_.clock.SteadyNow();
    attempt.began_at = deps_.clock.SystemNow();
    const SystemTime now = attempt.sent_at = deps_.clock.RunningNow().at;
    if (attempt.ticket) attempt.ticket.Sent(now);
    const apis::PollTarget& target = *attempt.target;
    const apis::PollEndpoint& endpoint = target.endpoint();
    const auto counter = observer_.CounterFor(target.route->api, target.key_label, now);
    if (counter) counter->Count(now);
    target.route->metrics->CountPollCost(target.key_label, endpoint.cost_unit, endpoint.cost);
  }

  void OnResult(Attempt& attempt, net::ClientResult& result) {
    metrics::ApiMetrics& metrics = *attempt.target->route->metrics;
    PollVerdict verdict;
    const int status = result.error ? 0 : result.status;
    if (result.error) {
      const metrics::UpstreamError error = FailureOf(result);
      metrics.UpstreamErrors(error).Add();
      verdict = JudgeFailure(error, result.refusal);
    } else {
      const provider::Signals signals = Observe(attempt, result);
      verdict = JudgeAnswer(status, signals, deps_.clock.RunningNow().at);
    }
    if (attempt.ticket) attempt.ticket.Release(deps_.clock.RunningNow().at);
    Conclude(attempt, verdict, status);
  }

  provider::Signals Observe(Attempt& attempt, net::ClientResult& result) {
    const apis::PollTarget& target = *attempt.target;
    const apis::Route& route = *target.route;
    metrics::KeyMetrics& key = route.metrics->ForKey(target.key_label, "");
    key.UpstreamRequests(http::Door::kPoll, target.endpoint().method, result.status).Add();
    http::Exchange exchange;
    exchange.method = target.endpoint().method;
    exchange.host = route.base.host;
    target.SetPath(&exchange);
    exchange.status = result.status;
    exchange.fields = std::move(result.fields);
    exchange.sent_at = attempt.sent_at;
    exchange.received_at = result.head_at.at;
    exchange.system_ahead = result.head_at.system_ahead;
    exchange.date = http::ParseHttpDate(exchange.fields.Find("date").value_or(""), exchange.received_at);
    exchange.order = static_cast<uint64_t>(attempt.began.time_since_epoch().count());
    exchange.door = http::Door::kPoll;
    bool body_unread = false;
    apis::Walled(*route.metrics, [&] {
      auto reader = provider::BodyReader::For(*route.exporter, exchange);
      if (!reader || exchange.method == "HEAD") return;
      reader->Write(result.body);
      body_unread = reader->Failed() || (!result.body_whole && !reader->Done());
      reader->TakeInto(&exchange);
    });
    provider::Signals signals = observer_.Observe({.exporter = *route.exporter,
                                                   .api = *route.metrics,
                                                   .key = key,
                                                   .key_label = target.key_label,
                                                   .quotas = route.quotas,
                                                   .body_unread = body_unread},
                                                  exchange, exchange.received_at);
    Settle(&attempt.ticket, exchange, signals, deps_.clock.RunningNow().at);
    return signals;
  }

  void Conclude(const Attempt& attempt, const PollVerdict& verdict, int status) {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(IdOf(*attempt.target));
    if (found == states_.end()) return;  // no longer configured
    State& state = found->second;
    const SteadyTime now = deps_.clock.SteadyNow();
    const std::string before = state.status.last ? state.status.last->result : "";
    const double roll = std::uniform_real_distribution<double>(0, 1)(random_);
    state.times =
        NextPoll(state.target->endpoint().plan, state.times, attempt.began, verdict.outcome, roll, now);
    state.under_way = false;
    state.status.failures = state.times.failures;
    state.status.last = PollStatus::Last{.at = attempt.began_at,
                                         .duration = std::chrono::duration_cast<Micros>(now - attempt.began),
                                         .success = verdict.success,
                                         .result = std::string(verdict.result),
                                         .status = status,
                                         .reason = verdict.reason};
    if (verdict.success) state.status.last_success_at = attempt.began_at;
    log_.Report(state.status.api, state.status.key, before, verdict, status, state.times.failures, now);
    due_.emplace(state.times.due, &found->first);
    SetAlarm();
  }

  const PollerOptions options_;
  const PollerDeps deps_;
  apis::Observer observer_;
  bool running_ = false;

  // Of the loop's thread; `mutex_` is for Status.
  net::Loop loop_;
  net::HttpClient client_{loop_, ClientOptions(options_, deps_)};
  net::Alarm alarm_;
  std::set<std::pair<SteadyTime, const TargetId*>> due_;  // ids are keys of states_
  std::mt19937_64 random_;
  PollLog log_;
  mutable std::mutex mutex_;
  std::map<TargetId, State> states_;  // guarded by mutex_
};

Poller::Poller(const PollerOptions& options, PollerDeps deps)
    : impl_(std::make_unique<Impl>(options, std::move(deps))) {}
Poller::~Poller() = default;

void Poller::SetRoutes(const std::shared_ptr<const apis::RouteTable>& routes) { impl_->SetRoutes(routes); }
void Poller::Stop() { impl_->Stop(); }
std::vector<PollStatus> Poller::Status() const { return impl_->Status(); }

}  // namespace apiquota::poll
