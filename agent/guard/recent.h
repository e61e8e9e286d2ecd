// A bounded table by name: when it is full, what was touched longest ago leaves. Every call takes constant
// time. No thread-safety of its own.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace apiquota::guard {

template <typename Value, size_t kMost>
class Recent {
 public:
  Recent() = default;
  Recent(const Recent&) = delete;  // the index points into the list
  Recent& operator=(const Recent&) = delete;

  const Value* Find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &found->second->second;
  }

  // The value of `name`, a new one if there was none. It counts as touched.
  Value& Touch(std::string_view name) {
    if (const auto found = index_.find(name); found != index_.end()) {
      held_.splice(held_.begin(), held_, found->second);
      return held_.front().second;
    }
    if (held_.size() >= kMost) {
      index_.erase(held_.back().first);
      held_.pop_back();
    }
    held_.emplace_front(std::string(name), Value{});
    index_.emplace(held_.front().first, held_.begin());
    return held_.front().second;
  }

  size_t size() const { return held_.size(); }

 private:
  using Held = std::list<std::pair<std::string, Value>>;

  Held held_;  // the newest first
  std::unordered_map<std::string_view, typename Held::iterator> index_;
};

}  // namespace apiquota::guard
