// How often the code under a benchmark allocates, as its column "allocations" (per iteration).
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace apiquota::bench {

uint64_t Allocations();  // calls of operator new by this thread so far

// Made before the loop of a benchmark, reports when the benchmark ends.
class AllocationCount {
 public:
  explicit AllocationCount(benchmark::State& state) : state_(state), before_(Allocations()) {}
  ~AllocationCount() {
    state_.counters["allocations"] =
        benchmark::Counter(static_cast<double>(Allocations() - before_), benchmark::Counter::kAvgIterations);
  }
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

 private:
  benchmark::State& state_;
  uint64_t before_;
};

}  // namespace apiquota::bench
