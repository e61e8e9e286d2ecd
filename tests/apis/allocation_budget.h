// How often a test's thread may still allocate; operator new throws beyond it (wall_test.cc).
#pragma once

#include <cstddef>
#include <cstdint>

namespace apiquota::apis {

inline thread_local size_t allocations_left = SIZE_MAX;  // as often as it likes

}  // namespace apiquota::apis
