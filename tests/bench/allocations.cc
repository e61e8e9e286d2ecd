#include "tests/bench/allocations.h"

#include "tests/allocations.h"

uint64_t apiquota::bench::Allocations() { return allocations; }
