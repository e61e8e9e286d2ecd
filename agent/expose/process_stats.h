// The usual process_* facts, from /proc. Reading is apart from understanding: ReadProc does the I/O and keeps
// nothing, ParseProc is pure. Thread-safe.
#pragma once

#include <optional>
#include <string>

namespace apiquota::expose {

struct ProcText {
  std::string self_stat;           // /proc/self/stat
  std::string self_limits;         // /proc/self/limits
  std::string system_stat;         // /proc/stat, for the time of boot
  std::optional<size_t> open_fds;  // entries of /proc/self/fd
  long ticks_per_second = 100;
  long page_bytes = 4096;
};

// What can't be read stays empty.
ProcText ReadProc();

// Absent where /proc did not say. Base units: seconds, bytes.
struct ProcessStats {
  std::optional<double> cpu_seconds;
  std::optional<double> resident_bytes;
  std::optional<double> virtual_bytes;
  std::optional<double> open_fds;
  std::optional<double> max_fds;  // absent if unlimited
  std::optional<double> start_time_seconds;
  std::optional<double> threads;

  friend bool operator==(const ProcessStats&, const ProcessStats&) = default;
};

ProcessStats ParseProc(const ProcText& proc);

}  // namespace apiquota::expose
