// Descriptors that connections of clients and to upstreams must not use up, so that the admin side, the
// poller and files still have some when everything else is taken. The kernel hands out the lowest free
// number: a new one at or above a mark says that all below are in use, without counting. Thread-safe.
#pragma once

#include <cstdint>

namespace apiquota::net {

// Whether somebody may take the descriptors of the reserve: the admin side does.
enum class Reserve : uint8_t { kLeaves, kUses };

// The first number of the reserve, of a process that may have `limit` descriptors: 32 are kept, or half of
// them.
int ReserveBegins(uint64_t limit);

// Whether `fd`, which the kernel has just handed out, lies in this process's reserve. The process's limit is
// asked for once, by the first call.
bool InReserve(int fd);

// Whether the next one would; costs two syscalls.
bool OnlyReserveIsLeft();

// Whether there is none at all; costs two syscalls.
bool NoDescriptorIsLeft();

// Says so in the log, once a minute.
void WarnOfFewDescriptors();

}  // namespace apiquota::net
