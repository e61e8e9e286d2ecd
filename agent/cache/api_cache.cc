#include "cache/api_cache.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "cache/api_cache_state.h"
#include "cache/store.h"
#include "cache/target.h"
#include "cache/wish.h"

namespace apiquota::cache {

namespace {

// Whether the client takes it as it is now (RFC 9111 section 5.2.1).
bool MayBeServed(const Answer& answer, const RequestDirectives& wish, SystemTime now) {
  if (wish.no_cache || answer.no_cache) return false;
  const Micros age = answer.AgeAt(now);
  if (wish.max_age && age > *wish.max_age) return false;
  const Micros left = answer.fresh_for - age;
  if (wish.min_fresh && left < *wish.min_fresh) return false;
  if (left > Micros{}) return true;
  return !answer.must_revalidate && wish.max_stale && -left <= *wish.max_stale;
}

// Whether asking by the stored validator says all that the client's own condition would: it names the same
// tag, or goes by time, which an entity tag overrules.
bool MayAskInPlaceOf(const Question& question, const Wish& wish, const Answer& answer) {
  if (!wish.none_match) return true;
  const auto etag = answer.head.fields.Find("etag");
  return etag && NamesTag(*question.fields, *etag);
}

// Whether an answer that another's request brings would do.
bool MayFollow(const Question& question, const Wish& wish) {
  if (question.method == "HEAD" || Bypasses(question, wish) || wish.control.no_cache) return false;
  return !wish.control.max_age || *wish.control.max_age > Micros{};
}

}  // namespace

ApiCache::ApiCache(const Options& options, Rim& rim) : state_(std::make_unique<State>(options)), rim_(rim) {}

ApiCache::~ApiCache() = default;

void ApiCache::Configure(const Options& options) {
  Store::Freed freed;
  const std::lock_guard lock(state_->mutex);
  state_->store.SetBytesMax(options.bytes_max, &freed);
  state_->stale_if_error = options.stale_if_error.count();
}

size_t ApiCache::answer_bytes_max() const {
  const std::lock_guard lock(state_->mutex);
  return state_->store.answer_bytes_max();
}

Found ApiCache::Find(const Question& question, SystemTime now) {
  const Wish wish = ReadWish(*question.fields);
  const bool only_if_cached = wish.control.only_if_cached && MayBeAnswered(question);
  if (Bypasses(question, wish)) {
    return {only_if_cached ? Use::kOnlyIfCached : Use::kNothing, nullptr, true};
  }
  AnswerPtr answer = state_->Find(question);
  if (answer && MayBeServed(*answer, wish.control, now)) return {Use::kServe, std::move(answer)};
  if (only_if_cached) return {Use::kOnlyIfCached, nullptr};
  // Of a POST a condition would mean something else: that it is not to be carried out (RFC 9110
  // section 13.1).
  if (!answer || question.method != "GET" || !answer->HasValidator()) return {};
  if (!MayAskInPlaceOf(question, wish, *answer)) return {};
  return {Use::kRevalidate, std::move(answer)};
}

AnswerPtr ApiCache::FindForError(const Question& question, SystemTime now) {
  const Wish wish = ReadWish(*question.fields);
  if (Bypasses(question, wish) || wish.control.no_cache) return nullptr;
  AnswerPtr answer = state_->Find(question);
  if (!answer || answer->no_cache) return nullptr;
  const Micros age = answer->AgeAt(now);
  if (wish.control.max_age && age > *wish.control.max_age) return nullptr;
  if (age < answer->fresh_for) return answer;
  if (answer->must_revalidate) return nullptr;
  const Micros configured(state_->stale_if_error.load(std::memory_order_relaxed));
  const Micros allowed = answer->stale_if_error.value_or(configured);
  const Micros wanted = wish.control.stale_if_error.value_or(Micros{});
  if (age - answer->fresh_for > std::max(allowed, wanted)) return nullptr;
  state_->served_stale_at.store(now, std::memory_order_relaxed);
  return answer;
}

void ApiCache::Keep(const Question& question, AnswerPtr answer) {
  if (question.method == "HEAD") return;
  const Digest key = KeyOf(question);
  const Digest path = PathOf(question);
  Store::Freed freed;  // goes after the lock
  const std::lock_guard lock(state_->mutex);
  state_->store.Keep(key, path, *question.fields, std::move(answer), &freed);
}

void ApiCache::Invalidate(const Question& question, const http::ResponseHead& head,
                          std::string_view authority, SystemTime now) {
  if (IsSafe(question.method) || question.body || head.status < 200 || head.status >= 400) return;
  std::vector<Digest> changed = {PathOf(question.target)};
  for (const std::string_view name : {"location", "content-location"}) {
    const auto reference = head.fields.Find(name);
    if (!reference) continue;
    if (const auto target = ResolveHere(*reference, question.target, authority)) {
      changed.push_back(PathOf(*target));
    }
  }
  Change(changed, now);
}

void ApiCache::InvalidateUnanswered(const Question& question, SystemTime now) {
  if (IsSafe(question.method) || question.body) return;
  const Digest path = PathOf(question.target);
  Change({&path, 1}, now);
}

void ApiCache::Change(std::span<const Digest> paths, SystemTime now) {
  const std::lock_guard lock(state_->mutex);
  for (const Digest& path : paths) {
    state_->store.Change(path, now);
    state_->groups.Close(path);
  }
}

Lead ApiCache::Join(const Question& question, Follower follower, bool* alone, SystemTime now) {
  *alone = !MayFollow(question, ReadWish(*question.fields));
  if (*alone) return {};
  const Digest identity = IdentityOf(question);
  const Digest path = PathOf(question);
  Groups::Place place;
  {
    const std::lock_guard lock(state_->mutex);
    place = state_->groups.Join(identity, path, follower, now);
  }
  *alone = place.kind == Groups::Place::Kind::kAlone;
  return place.kind == Groups::Place::Kind::kLeads ? Lead(shared_from_this(), place.turn) : Lead();
}

void ApiCache::Leave(Follower follower) {
  const std::lock_guard lock(state_->mutex);
  state_->groups.Leave(follower);
}

void ApiCache::Clear(SystemTime now) {
  Store::Freed freed;
  const std::lock_guard lock(state_->mutex);
  state_->store.Clear(now, &freed);
  state_->groups.CloseAll();
}

CacheView ApiCache::View() const {
  const std::lock_guard lock(state_->mutex);
  const Store& store = state_->store;
  const SystemTime served_at = state_->served_stale_at.load(std::memory_order_relaxed);
  return {.bytes = store.bytes(),
          .bytes_max = store.bytes_max(),
          .answers = store.answers(),
          .groups = state_->groups.groups(),
          .followers = state_->groups.followers(),
          .evicted = store.evicted(),
          .served_stale_at = served_at == SystemTime() ? std::nullopt : std::optional(served_at)};
}

}  // namespace apiquota::cache
