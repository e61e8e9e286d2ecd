#include "cache/groups.h"

#include <iterator>

namespace apiquota::cache {

Groups::Place Groups::Join(const Digest& identity, const Digest& path, Follower follower, SystemTime now) {
  if (IsAlone(identity, now)) return {};
  Leave(follower);  // whoever waits, waits for one answer
  const auto [open, first] = open_.try_emplace(identity, last_group_ + 1);
  if (first) {
    groups_[++last_group_] = {.identity = identity, .path = path, .turn = 1, .followers = {}};
    return {Place::Kind::kLeads, {last_group_, 1}};
  }
  std::list<Follower>& followers = groups_[open->second].followers;
  followers.push_back(follower);
  places_[follower] = {open->second, std::prev(followers.end())};
  return {.kind = Place::Kind::kFollows, .turn = {}};
}

void Groups::Leave(Follower follower) {
  const auto place = places_.find(follower);
  if (place == places_.end()) return;
  groups_[place->second.group].followers.erase(place->second.at);
  places_.erase(place);
}

Groups::All::iterator Groups::FindLedBy(Turn turn) {
  const auto group = groups_.find(turn.group);
  return group != groups_.end() && group->second.turn == turn.turn ? group : groups_.end();
}

bool Groups::Followed(Turn turn) const {
  const auto group = groups_.find(turn.group);
  return group != groups_.end() && group->second.turn == turn.turn && !group->second.followers.empty();
}

std::vector<Follower> Groups::End(Turn turn) {
  const auto group = FindLedBy(turn);
  if (group == groups_.end()) return {};
  const std::list<Follower>& followers = group->second.followers;
  std::vector<Follower> told(followers.begin(), followers.end());
  for (const Follower& follower : told) places_.erase(follower);
  const auto open = open_.find(group->second.identity);
  if (open != open_.end() && open->second == turn.group) open_.erase(open);
  groups_.erase(group);
  return told;
}

std::vector<Follower> Groups::Scatter(Turn turn, SystemTime now) {
  const auto group = FindLedBy(turn);
  if (group == groups_.end()) return {};
  SetAlone(group->second.identity, now + kAloneFor);
  return End(turn);
}

std::optional<std::pair<Follower, Turn>> Groups::Fail(Turn turn) {
  const auto group = FindLedBy(turn);
  if (group == groups_.end()) return std::nullopt;
  std::list<Follower>& followers = group->second.followers;
  if (followers.empty()) {
    End(turn);
    return std::nullopt;
  }
  const Follower next = followers.front();
  followers.pop_front();
  places_.erase(next);
  return std::pair(next, Turn{turn.group, ++group->second.turn});
}

void Groups::Close(const Digest& path) {
  std::erase_if(open_, [&](const auto& open) { return groups_[open.second].path == path; });
}

void Groups::SetAlone(const Digest& identity, SystemTime until) {
  alone_[identity] = until;
  alone_order_.emplace_back(identity, until);
  while (alone_order_.size() > kAloneMax) DropOldestAlone();
}

void Groups::DropOldestAlone() {
  const auto [identity, until] = alone_order_.front();
  alone_order_.pop_front();
  const auto known = alone_.find(identity);
  if (known != alone_.end() && known->second == until) alone_.erase(known);
}

bool Groups::IsAlone(const Digest& identity, SystemTime now) {
  while (!alone_order_.empty() && alone_order_.front().second <= now) DropOldestAlone();
  const auto alone = alone_.find(identity);
  return alone != alone_.end() && alone->second > now;
}

}  // namespace apiquota::cache
