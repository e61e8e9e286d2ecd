// Counts what a program allocates, thread by thread, by replacing operator new: include it in one file of a
// program.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace apiquota {

inline thread_local size_t allocations = 0;  // calls of operator new by this thread so far

}  // namespace apiquota

// Not inlined: GCC would take the pair for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
  ++apiquota::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
