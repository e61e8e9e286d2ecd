#include "net/descriptor_reserve.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/descriptor.h"
#include "base/log.h"

namespace apiquota::net {
namespace {

constexpr uint64_t kReserve = 32;

uint64_t ProcessLimit() {
  static const uint64_t limit = [] {
    rlimit now{};
    return getrlimit(RLIMIT_NOFILE, &now) == 0 ? now.rlim_cur : RLIM_INFINITY;
  }();
  return limit;
}

}  // namespace

int ReserveBegins(uint64_t limit) {
  const uint64_t mark = limit - std::min(kReserve, limit / 2);
  return static_cast<int>(std::min<uint64_t>(mark, std::numeric_limits<int>::max()));
}

bool InReserve(int fd) {
  static const int mark = ReserveBegins(ProcessLimit());
  return fd >= mark;
}

bool OnlyReserveIsLeft() {
  const Descriptor next(eventfd(0, EFD_CLOEXEC));
  return !next.valid() || InReserve(next.get());
}

bool NoDescriptorIsLeft() { return !Descriptor(eventfd(0, EFD_CLOEXEC)).valid(); }

void WarnOfFewDescriptors() {
  LogFolded(LogLevel::kWarn, "few_descriptors", "", {{"limit", std::to_string(ProcessLimit())}});
}

}  // namespace apiquota::net
