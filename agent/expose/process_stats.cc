#include "expose/process_stats.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/text.h"

namespace apiquota::expose {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<size_t> CountEntries(const char* path) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(path, error);
  if (error) return std::nullopt;
  size_t count = 0;
  for (auto it = begin(entries); it != end(entries); it.increment(error)) {
    if (error) return std::nullopt;
    ++count;
  }
  return count;
}

// The first number of the line that starts with `name`.
std::optional<double> NumberAfter(std::string_view text, std::string_view name) {
  for (const std::string_view line : Split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    const std::string_view rest = Trim(line.substr(name.size()));
    const auto number = ParseDigits(rest.substr(0, rest.find(' ')));
    return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
  }
  return std::nullopt;
}

// Fields of proc(5) "stat" from the third on: the second, the program's name, may hold anything, so they are
// counted from its closing parenthesis.
class StatFields {
 public:
  explicit StatFields(std::string_view stat) {
    const size_t name_end = stat.rfind(')');
    if (name_end != std::string_view::npos && name_end + 2 < stat.size())
      fields_ = Split(stat.substr(name_end + 2), ' ');
  }

  // `number` as proc(5) counts, from 1.
  std::optional<double> At(size_t number) const {
    if (number < 3 || number - 3 >= fields_.size()) return std::nullopt;
    const auto value = ParseDigits(fields_[number - 3]);
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  }

 private:
  std::vector<std::string_view> fields_;
};

}  // namespace

ProcText ReadProc() {
  ProcText proc;
  proc.self_stat = ReadFile("/proc/self/stat");
  proc.self_limits = ReadFile("/proc/self/limits");
  proc.system_stat = ReadFile("/proc/stat");
  proc.open_fds = CountEntries("/proc/self/fd");
  proc.ticks_per_second = sysconf(_SC_CLK_TCK);
  proc.page_bytes = sysconf(_SC_PAGESIZE);
  return proc;
}

ProcessStats ParseProc(const ProcText& proc) {
  const StatFields stat(proc.self_stat);
  const auto ticks = static_cast<double>(proc.ticks_per_second);
  ProcessStats stats;
  const auto user = stat.At(14);
  const auto system = stat.At(15);
  if (user && system) stats.cpu_seconds = (*user + *system) / ticks;
  stats.threads = stat.At(20);
  const auto started = stat.At(22);
  const auto boot = NumberAfter(proc.system_stat, "btime ");
  if (started && boot) stats.start_time_seconds = *boot + *started / ticks;
  stats.virtual_bytes = stat.At(23);
  if (const auto pages = stat.At(24)) stats.resident_bytes = *pages * static_cast<double>(proc.page_bytes);
  if (proc.open_fds) stats.open_fds = static_cast<double>(*proc.open_fds);
  stats.max_fds = NumberAfter(proc.self_limits, "Max open files");
  return stats;
}

}  // namespace apiquota::expose
