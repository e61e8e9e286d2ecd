#include "base/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

#include "base/log_fold.h"
#include "base/text.h"

namespace apiquota {
namespace {

constexpr size_t kQueueMax = 4096;
constexpr Micros kFlushPatience = std::chrono::seconds(1);  // at the end, with a stderr that takes nothing
constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};

std::string FormatTime(SystemTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(now - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

// Escapes as JSON does; both formats use it for quoted values.
std::string Escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    size_t length = Utf8Length(text);
    if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else if (c == '"' || c == '\\') {
      out.append("\\").push_back(static_cast<char>(c));
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", c);
    } else if (c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {  // C1 controls move cursors too
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[1]));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return out;
}

bool IsBare(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

// Lines to stderr. Never waits for long: a pipe or terminal that says it has room takes PIPE_BUF bytes at
// once.
class StderrWriter {
 public:
  // From now on whoever writes gives up at `deadline`.
  void GiveUpAt(SteadyTime deadline) { give_up_at_ = deadline.time_since_epoch().count(); }

  // False: it was given up, or stderr is gone.
  bool Write(std::string_view line) const {
    while (!line.empty()) {
      if (!WaitForRoom()) return false;
      const ssize_t n = write(STDERR_FILENO, line.data(), std::min<size_t>(line.size(), PIPE_BUF));
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) return false;
      line.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

 private:
  bool WaitForRoom() const {
    constexpr int kLookAgainMs = 50;
    pollfd room{STDERR_FILENO, POLLOUT, 0};
    for (;;) {
      const bool late = RealClock().SteadyNow().time_since_epoch().count() >= give_up_at_;
      if (poll(&room, 1, late ? 0 : kLookAgainMs) > 0) return true;
      if (late) return false;
    }
  }

  std::atomic<SteadyTime::rep> give_up_at_{SteadyTime::max().time_since_epoch().count()};
};

class Logger {
 public:
  void Start(LogLevel level, LogFormat format) {
    Stop();
    level_ = level;
    format_ = format;
    stderr_.GiveUpAt(SteadyTime::max());
    {
      const std::lock_guard lock(mutex_);
      running_ = true;
    }
    writer_ = std::thread([this] { Write(); });
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      Queue(folder_.TakeAll());
      running_ = false;
    }
    if (!writer_.joinable()) return;
    stderr_.GiveUpAt(RealClock().SteadyNow() + kFlushPatience);
    wake_.notify_all();
    writer_.join();
  }

  void Add(LogLevel level, std::string_view event, std::span<const LogField> fields) {
    if (level < level_) return;
    std::string line = FormatLogLine(format_, RealClock().SystemNow(), level, event, fields) + "\n";
    {
      const std::lock_guard lock(mutex_);
      Queue(std::move(line));
    }
    wake_.notify_one();
  }

  void AddFolded(LogLevel level, std::string_view event, std::string_view key,
                 std::span<const LogField> fields) {
    if (level < level_) return;
    {
      const std::lock_guard lock(mutex_);
      const LogFolder::Verdict verdict = folder_.Admit(level, event, key, fields, RealClock().SteadyNow());
      if (verdict == LogFolder::Verdict::kHoldMore) return;
      if (verdict == LogFolder::Verdict::kWrite)
        Queue(FormatLogLine(format_, RealClock().SystemNow(), level, event, fields) + "\n");
    }
    wake_.notify_one();  // to write, or to see when what is held back is due
  }

  uint64_t Dropped() const { return dropped_.load(std::memory_order_relaxed); }
  ~Logger() { Stop(); }

 private:
  // These two REQUIRE mutex_.
  void Queue(std::string line) {
    if (!running_) {
      std::fwrite(line.data(), 1, line.size(), stderr);
    } else if (queue_.size() >= kQueueMax) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
    } else {
      queue_.push_back(std::move(line));
    }
  }

  void Queue(std::vector<LogFolder::Held> held) {
    for (LogFolder::Held& line : held) {
      line.fields.push_back({"repeated", std::to_string(line.repeated)});
      Queue(FormatLogLine(format_, RealClock().SystemNow(), line.level, line.event, line.fields) + "\n");
    }
  }

  void Write() {
    std::unique_lock lock(mutex_);
    while (running_ || !queue_.empty()) {
      if (running_ && queue_.empty()) {
        if (const auto due = folder_.NextDue()) {
          wake_.wait_until(lock, *due);
        } else {
          wake_.wait(lock);
        }
      }
      if (running_) Queue(folder_.TakeDue(RealClock().SteadyNow()));
      std::deque<std::string> lines;
      lines.swap(queue_);
      lock.unlock();
      for (const std::string& line : lines) {
        if (!stderr_.Write(line)) dropped_.fetch_add(1, std::memory_order_relaxed);
      }
      lock.lock();
    }
  }

  std::atomic<LogLevel> level_{LogLevel::kInfo};
  std::atomic<LogFormat> format_{LogFormat::kLogfmt};
  std::atomic<uint64_t> dropped_{0};
  StderrWriter stderr_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> queue_;  // guarded by mutex_
  LogFolder folder_;               // guarded by mutex_
  bool running_ = false;           // guarded by mutex_
  std::thread writer_;
};

Logger& TheLogger() {
  static Logger logger;
  return logger;
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (kLevels[i] == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::optional<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return std::nullopt;
}

std::string FormatLogLine(LogFormat format, SystemTime now, LogLevel level, std::string_view event,
                          std::span<const LogField> fields) {
  const std::string_view level_text = kLevels[static_cast<size_t>(level)];
  const bool json = format == LogFormat::kJson;
  std::string line =
      json ? fmt::format(R"({{"ts":"{}","level":"{}","event":"{}")", FormatTime(now), level_text, event)
           : fmt::format("ts={} level={} event={}", FormatTime(now), level_text, event);
  for (const LogField& field : fields) {
    if (json) {
      line += fmt::format(R"(,"{}":"{}")", field.name, Escaped(field.value));
    } else if (IsBare(field.value)) {
      line += fmt::format(" {}={}", field.name, field.value);
    } else {
      line += fmt::format(R"( {}="{}")", field.name, Escaped(field.value));
    }
  }
  if (json) line += '}';
  return line;
}

void StartLogging(LogLevel level, LogFormat format) { TheLogger().Start(level, format); }
void StopLogging() { TheLogger().Stop(); }
void Log(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  TheLogger().Add(level, event, fields);
}
void LogFolded(LogLevel level, std::string_view event, std::string_view key,
               std::initializer_list<LogField> fields) {
  TheLogger().AddFolded(level, event, key, std::span(fields.begin(), fields.size()));
}
uint64_t LogLinesDropped() { return TheLogger().Dropped(); }

}  // namespace apiquota
