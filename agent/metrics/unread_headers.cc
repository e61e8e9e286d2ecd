#include "metrics/unread_headers.h"

#include "base/log.h"

namespace apiquota::metrics {

void UnreadHeaders::Note(uint64_t generation, const std::string& api,
                         const std::vector<provider::Unread>& unread) {
  for (const provider::Unread& one : unread) {
    if (one.kind != provider::UnreadKind::kNotDescribed || one.header.size() > kNameBytesMax) continue;
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_) return;
      std::set<std::string>& names = names_[api];
      if (names.size() >= kNamesMax || !names.insert(one.header).second) continue;
    }
    Log(LogLevel::kInfo, "limit_header_unread", {{"api", api}, {"header", one.header}});
  }
}

void UnreadHeaders::Forget() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  names_.clear();
}

uint64_t UnreadHeaders::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::vector<std::string> UnreadHeaders::NamesOf(const std::string& api) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(api);
  if (found == names_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace apiquota::metrics
