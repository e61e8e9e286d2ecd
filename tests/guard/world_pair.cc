#include <algorithm>
#include <map>
#include <utility>

#include "world_subject.h"

namespace apiquota::world {
namespace {

using guard::Grant;
using guard::Id;
using guard::Verdict;

// Two subjects that are asked the same; the second may be asked more, which it must refuse and forget.
class Pair : public Subject {
 public:
  Pair(std::unique_ptr<Subject> first, std::unique_ptr<Subject> second, bool ghosts)
      : first_(std::move(first)), second_(std::move(second)), ghosts_(ghosts) {}

  Verdict Ask(const guard::Request& request, SystemTime now) override {
    const Verdict one = first_->Ask(request, now);
    if (differs_) return one;
    if (one.kind != Verdict::Kind::kAdmit) AskAsGhost(request, now);
    const Verdict other = second_->Ask(request, now);
    if (one.kind != other.kind) Differ("a verdict");
    if (one.reason != other.reason || one.quota != other.quota) Differ("a reason");
    if (one.refusal && other.refusal && one.refusal->until != other.refusal->until)
      Differ("when to come again");
    if (one.kind == Verdict::Kind::kAdmit) tickets_[one.id] = other.id;
    if (one.kind == Verdict::Kind::kQueued) waiters_[one.id] = other.id;
    return one;
  }
  void Sent(Id ticket, SystemTime now) override {
    first_->Sent(ticket, now);
    if (!differs_) second_->Sent(tickets_[ticket], now);
  }
  void Answered(Id ticket, const guard::Answer& answer, SystemTime now) override {
    first_->Answered(ticket, answer, now);
    if (!differs_) second_->Answered(tickets_[ticket], answer, now);
  }
  void Settle(Id ticket, const std::optional<guard::TokenCost>& cost, SystemTime now) override {
    first_->Settle(ticket, cost, now);
    if (!differs_) second_->Settle(Take(&tickets_, ticket), cost, now);
  }
  void Release(Id ticket, SystemTime now) override {
    first_->Release(ticket, now);
    if (!differs_) second_->Release(Take(&tickets_, ticket), now);
  }
  guard::RetryVerdict AskRetry(const guard::RetryAsk& ask, SystemTime now) override {
    const guard::RetryVerdict one = first_->AskRetry(ask, now);
    if (differs_) return one;
    const guard::RetryVerdict other = second_->AskRetry(ask, now);
    if (one.kind != other.kind || one.not_before != other.not_before) Differ("another attempt");
    return one;
  }
  Id Poll(const guard::Request& request, SystemTime now) override {
    const Id one = first_->Poll(request, now);
    if (!differs_) tickets_[one] = second_->Poll(request, now);
    return one;
  }
  void Configure(const Scenario& scenario, SystemTime now) override {
    first_->Configure(scenario, now);
    if (!differs_) second_->Configure(scenario, now);
  }
  void Drain(SystemTime until, SystemTime now, std::vector<Grant>* grants) override {
    std::vector<Grant> one, other;
    first_->Drain(until, now, &one);
    if (!differs_) second_->Drain(until, now, &other);
    Compare(one, other);
    for (Grant& grant : one) grants->push_back(std::move(grant));
  }
  void Leave(Id waiter, SystemTime now) override {
    first_->Leave(waiter, now);
    if (!differs_) second_->Leave(Take(&waiters_, waiter), now);
  }
  void Advance(SystemTime now, std::vector<Grant>* grants) override {
    std::vector<Grant> one, other;
    first_->Advance(now, &one);
    if (!differs_) second_->Advance(now, &other);
    Compare(one, other);
    for (Grant& grant : one) grants->push_back(std::move(grant));
  }
  std::optional<SystemTime> NextAt(SystemTime now) const override {
    const auto one = first_->NextAt(now);
    if (differs_) return one;
    const auto other = second_->NextAt(now);
    if (!one || !other) return one ? one : other;
    return std::min(*one, *other);
  }
  guard::TokenModel ModelOf(std::string_view resource, std::string_view route) const override {
    return first_->ModelOf(resource, route);
  }
  // Windows end when somebody looks, and what is known of their length then counts: both are looked at.
  guard::KeyView View(SystemTime now) const override {
    if (!differs_) second_->View(now);
    return first_->View(now);
  }
  std::string TakeDifference() override { return std::exchange(difference_, {}); }

 private:
  // Those of one moment reach their loops in any order.
  void Compare(const std::vector<Grant>& one, const std::vector<Grant>& other) {
    if (differs_) return;
    if (one.size() != other.size()) return Differ("who goes");
    std::map<Id, const Grant*> others;
    for (const Grant& grant : other) others[grant.waiter] = &grant;
    for (const Grant& grant : one) {
      const auto same = others.find(Take(&waiters_, grant.waiter));
      if (same == others.end()) return Differ("whose turn it is");
      if ((grant.ticket == 0) != (same->second->ticket == 0)) return Differ("whether a waiter goes");
      if (grant.ticket != 0) tickets_[grant.ticket] = same->second->ticket;
    }
  }
  static Id Take(std::map<Id, Id>* ids, Id id) {
    const auto held = ids->extract(id);
    return held.empty() ? 0 : held.mapped();
  }
  void AskAsGhost(guard::Request request, SystemTime now) {
    if (!ghosts_) return;
    request.deadline = now;
    // Behind others that may go, or at a cold key, it waits, and leaves.
    const Verdict verdict = second_->Ask(request, now);
    if (verdict.kind == Verdict::Kind::kAdmit) Differ("a deadline of now");
    if (verdict.kind == Verdict::Kind::kQueued) second_->Leave(verdict.id, now);
  }
  // Only once: from then on the second is asked no more.
  void Differ(const char* in) {
    if (!differs_) difference_ = in;
    differs_ = true;
  }

  std::unique_ptr<Subject> first_, second_;
  bool ghosts_;
  bool differs_ = false;
  std::map<Id, Id> tickets_, waiters_;
  std::string difference_;
};

}  // namespace

std::unique_ptr<Subject> MakePair(std::unique_ptr<Subject> first, std::unique_ptr<Subject> second,
                                  bool ghosts) {
  return std::make_unique<Pair>(std::move(first), std::move(second), ghosts);
}

}  // namespace apiquota::world
