#include "world_subject.h"

#include <map>
#include <utility>

#include "guard/guard.h"

namespace apiquota::world {
namespace {

using guard::Grant;
using guard::Id;
using guard::KeyGuard;
using guard::Verdict;

// `eager`: it advances after every call that may free something, as Guard does under its lock.
class Alone : public Subject {
 public:
  Alone(const Scenario& scenario, uint64_t seed, bool eager)
      : eager_(eager), guard_(scenario.options, scenario.declared, scenario.named_by_answer, seed) {}

  Verdict Ask(const guard::Request& request, SystemTime now) override {
    const Verdict verdict = guard_.Ask(request, now);
    quota_ = verdict.quota;
    Then(now);
    return {verdict.kind, verdict.id, verdict.reason, quota_, verdict.refusal};
  }
  void Sent(Id ticket, SystemTime now) override { guard_.Sent(ticket, now); }
  void Answered(Id ticket, const guard::Answer& answer, SystemTime now) override {
    guard_.Answered(ticket, answer, now);
    Then(now);
  }
  void Settle(Id ticket, const std::optional<guard::TokenCost>& cost, SystemTime now) override {
    guard_.Settle(ticket, cost, now);
    Then(now);
  }
  void Release(Id ticket, SystemTime now) override {
    guard_.Release(ticket, now);
    Then(now);
  }
  guard::RetryVerdict AskRetry(const guard::RetryAsk& ask, SystemTime now) override {
    return guard_.AskRetry(ask, now);
  }
  Id Poll(const guard::Request& request, SystemTime now) override {
    const Id id = guard_.Take(request, now);
    Then(now);
    return id;
  }
  void Leave(Id waiter, SystemTime now) override {
    guard_.Leave(waiter, now);
    Then(now);
  }
  void Configure(const Scenario& scenario, SystemTime now) override {
    guard_.Configure(scenario.options, scenario.declared);
    Then(now);
  }
  void Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants) override {
    guard_.Drain(until, now, grants);
  }
  void Advance(SystemTime now, std::vector<Grant>* grants) override {
    for (Grant& grant : std::exchange(granted_, {})) grants->push_back(std::move(grant));
    guard_.Advance(now, grants);
  }
  std::optional<SystemTime> NextAt(SystemTime now) const override { return guard_.NextAt(now); }
  guard::TokenModel ModelOf(std::string_view resource, std::string_view route) const override {
    return guard_.ModelOf(resource, route);
  }
  guard::KeyView View(SystemTime now) const override { return guard_.View(now); }

 private:
  void Then(SystemTime now) {
    if (eager_) guard_.Advance(now, &granted_);
  }

  bool eager_;
  std::string quota_;
  std::vector<Grant> granted_;
  KeyGuard guard_;
};

// No guard at all.
class None : public Subject {
 public:
  Verdict Ask(const guard::Request&, SystemTime) override {
    ++in_flight_;
    return {.kind = Verdict::Kind::kAdmit, .id = ++last_id_};
  }
  void Sent(Id, SystemTime) override {}
  void Answered(Id, const guard::Answer&, SystemTime) override {}
  void Settle(Id, const std::optional<guard::TokenCost>&, SystemTime) override { --in_flight_; }
  void Release(Id, SystemTime) override { --in_flight_; }
  guard::RetryVerdict AskRetry(const guard::RetryAsk&, SystemTime now) override {
    return {guard::RetryVerdict::Kind::kOff, now};
  }
  Id Poll(const guard::Request& request, SystemTime now) override { return Ask(request, now).id; }
  void Leave(Id, SystemTime) override {}
  void Configure(const Scenario&, SystemTime) override {}
  void Drain(SystemTime, SystemTime, std::vector<Grant>*) override {}
  void Advance(SystemTime, std::vector<Grant>*) override {}
  std::optional<SystemTime> NextAt(SystemTime) const override { return std::nullopt; }
  guard::TokenModel ModelOf(std::string_view, std::string_view) const override { return {}; }
  guard::KeyView View(SystemTime) const override {
    guard::KeyView view;
    view.in_flight = in_flight_;
    return view;
  }

 private:
  size_t in_flight_ = 0;
  Id last_id_ = 0;
};

// Guard with one account; what it delivers is kept until the next Advance.
class Shared : public Subject, public guard::Rim {
 public:
  // The first account has the next seed.
  Shared(const Scenario& scenario, uint64_t seed, SystemTime now)
      : scenario_(scenario), seed_(seed), guard_(std::make_unique<guard::Guard>(*this, seed - 1)) {
    Configure(scenario, now);
    account_ = guard_->AccountFor("api", "key", now);
  }

  ~Shared() override { LetGo(); }

  void Configure(const Scenario& scenario, SystemTime now) override {
    scenario_ = scenario;
    guard::GuardedApi api;
    api.api = "api";
    api.pool = "https://api.example";
    api.options = scenario.options;
    api.declared = scenario.declared;
    api.named_by_answer = scenario.named_by_answer;
    std::vector<guard::GuardedApi> apis;
    apis.push_back(std::move(api));
    guard_->Configure(std::move(apis), now);
  }
  void Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants) override {
    guard_->Drain(until, now);
    Advance(now, grants);
  }
  void Restart(SystemTime now) override {
    const std::string saved = guard_->Save(now);
    LetGo();
    wake_.reset();
    account_.reset();
    guard_ = std::make_unique<guard::Guard>(*this, seed_ - 1);
    Configure(scenario_, now);
    if (!guard_->Restore(saved, now)) difference_ = "what was saved";
    account_ = guard_->AccountFor("api", "key", now);
  }
  Id Poll(const guard::Request& request, SystemTime now) override {
    guard::Ticket ticket = guard_->Take(account_, request, now);
    const Id id = ticket.id();
    Keep(std::move(ticket));
    return id;
  }
  std::string TakeDifference() override { return std::exchange(difference_, {}); }

  Verdict Ask(const guard::Request& request, SystemTime now) override {
    guard::Turn turn = guard_->Ask(account_, request, now);
    if (turn.ticket) Keep(std::move(turn.ticket));
    return turn.verdict;
  }
  void Sent(Id ticket, SystemTime now) override { tickets_.at(ticket).Sent(now); }
  void Answered(Id ticket, const guard::Answer& answer, SystemTime now) override {
    tickets_.at(ticket).Answered(answer, now);
  }
  void Settle(Id ticket, const std::optional<guard::TokenCost>& cost, SystemTime now) override {
    auto held = tickets_.extract(ticket);
    held.mapped().Settle(cost, now);
  }
  void Release(Id ticket, SystemTime now) override {
    auto held = tickets_.extract(ticket);
    held.mapped().Release(now);
  }
  guard::RetryVerdict AskRetry(const guard::RetryAsk& ask, SystemTime now) override {
    return guard_->AskRetry(account_, ask, now);
  }
  void Leave(Id waiter, SystemTime now) override { guard_->Leave(account_, waiter, now); }
  void Advance(SystemTime now, std::vector<Grant>* grants) override {
    if (wake_ && *wake_ <= now) {
      wake_.reset();
      guard_->Advance(now);
    }
    for (Grant& grant : std::exchange(delivered_, {})) grants->push_back(std::move(grant));
  }
  std::optional<SystemTime> NextAt(SystemTime) const override { return wake_; }
  guard::TokenModel ModelOf(std::string_view resource, std::string_view route) const override {
    return guard_->ModelOf(account_, resource, route);
  }
  guard::KeyView View(SystemTime now) const override {
    std::vector<guard::AccountView> accounts = guard_->View(now);
    return accounts.empty() ? guard::KeyView{} : std::move(accounts.front().view);
  }

  void Deliver(uint32_t home, std::vector<guard::Granted> granted) override {
    if (closing_) return;
    for (guard::Granted& each : granted) {
      Grant grant;
      grant.waiter = each.waiter;
      grant.home = home;
      grant.ticket = each.ticket.id();
      grant.refusal = std::move(each.refusal);
      grant.reason = each.reason;
      grant.quota = std::move(each.quota);
      grant.waited = each.waited;
      if (each.ticket) Keep(std::move(each.ticket));
      delivered_.push_back(std::move(grant));
    }
  }
  void WakeBy(SystemTime at) override {
    if (!wake_ || at < *wake_) wake_ = at;
  }

 private:
  // What comes back lets others go, of whom nobody wants to hear.
  void LetGo() {
    closing_ = true;
    tickets_.clear();
    delivered_.clear();
    closing_ = false;
  }
  void Keep(guard::Ticket ticket) {
    const Id id = ticket.id();
    tickets_.emplace(id, std::move(ticket));
  }

  bool closing_ = false;
  std::optional<SystemTime> wake_;
  std::vector<Grant> delivered_;
  Scenario scenario_;
  uint64_t seed_;
  std::string difference_;
  std::unique_ptr<guard::Guard> guard_;
  std::shared_ptr<guard::Account> account_;
  std::map<Id, guard::Ticket> tickets_;
};

}  // namespace

std::unique_ptr<Subject> MakeSubject(const Scenario& scenario, uint64_t seed, SystemTime now) {
  switch (scenario.subject) {
    case SubjectKind::kAlone:
      break;
    case SubjectKind::kNone:
      return std::make_unique<None>();
    case SubjectKind::kTwins:
      return MakePair(std::make_unique<Alone>(scenario, seed, false),
                      std::make_unique<Alone>(scenario, seed, false), true);
    case SubjectKind::kShared:
      return std::make_unique<Shared>(scenario, seed, now);
    case SubjectKind::kModel:
      return MakePair(std::make_unique<Alone>(scenario, seed, true),
                      std::make_unique<Shared>(scenario, seed, now), false);
  }
  return std::make_unique<Alone>(scenario, seed, false);
}

}  // namespace apiquota::world
