#include "expose/process_stats.h"

#include <gtest/gtest.h>

namespace apiquota::expose {
namespace {

// A program may be called anything, even ") R 1".
constexpr char kStat[] =
    "4242 (a) R 1) S 1 4242 4242 0 -1 4194304 100 0 0 0 1250 250 0 0 20 0 6 0 50000 268435456 8192 "
    "18446744073709551615 "
    "1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

TEST(ProcessStatsTest, WhatProcSaysInBaseUnits) {
  ProcText proc;
  proc.self_stat = kStat;
  proc.self_limits =
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max processes             31000                31000                processes \n"
      "Max open files            1024                 1048576              files     \n";
  proc.system_stat = "cpu  1 2 3 4\nbtime 1699998500\nprocesses 1\n";
  proc.open_fds = 42;
  EXPECT_EQ(ParseProc(proc), (ProcessStats{15, 33554432, 268435456, 42, 1024, 1699999000, 6}));
}

TEST(ProcessStatsTest, WhatProcDoesNotSayIsAbsent) {
  EXPECT_EQ(ParseProc({}), ProcessStats{});
  ProcText cut;
  cut.self_stat = "4242 (apiquota) S 1";
  cut.self_limits = "Max open files            unlimited            unlimited            files\n";
  EXPECT_EQ(ParseProc(cut), ProcessStats{});
}

TEST(ProcessStatsTest, ThisProcessHasThemAll) {
  const ProcessStats stats = ParseProc(ReadProc());
  EXPECT_GT(stats.resident_bytes, 0);
  EXPECT_GT(stats.virtual_bytes, stats.resident_bytes);
  EXPECT_GT(stats.start_time_seconds, 1'600'000'000);
  EXPECT_GE(stats.open_fds, 3);
  EXPECT_GE(stats.threads, 1);
  EXPECT_GE(stats.cpu_seconds, 0);
}

}  // namespace
}  // namespace apiquota::expose
