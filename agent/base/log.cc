#include "base/log.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

#include "base/text.h"

namespace apiquota {
namespace {

constexpr size_t kQueueMax = 4096;
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

class Logger {
 public:
  void Start(LogLevel level, LogFormat format) {
    Stop();
    level_ = level;
    format_ = format;
    {
      const std::lock_guard lock(mutex_);
      running_ = true;
    }
    writer_ = std::thread([this] { Write(); });
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      running_ = false;
    }
    wake_.notify_all();
    if (writer_.joinable()) writer_.join();
  }

  void Add(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < level_) return;
    std::string line = FormatLogLine(format_, RealClock().SystemNow(), level, event, fields) + "\n";
    std::unique_lock lock(mutex_);
    if (!running_) {
      std::fwrite(line.data(), 1, line.size(), stderr);
      return;
    }
    if (queue_.size() >= kQueueMax) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_.push_back(std::move(line));
    lock.unlock();
    wake_.notify_one();
  }

  uint64_t Dropped() const { return dropped_.load(std::memory_order_relaxed); }
  ~Logger() { Stop(); }

 private:
  void Write() {
    std::unique_lock lock(mutex_);
    while (running_ || !queue_.empty()) {
      wake_.wait(lock, [this] { return !running_ || !queue_.empty(); });
      std::deque<std::string> lines;
      lines.swap(queue_);
      lock.unlock();
      for (const std::string& line : lines) {
        if (std::fwrite(line.data(), 1, line.size(), stderr) != line.size()) {
          dropped_.fetch_add(1, std::memory_order_relaxed);
        }
      }
      std::fflush(stderr);
      lock.lock();
    }
  }

  std::atomic<LogLevel> level_{LogLevel::kInfo};
  std::atomic<LogFormat> format_{LogFormat::kLogfmt};
  std::atomic<uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> queue_;  // guarded by mutex_
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
                          std::initializer_list<LogField> fields) {
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
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  TheLogger().Add(level, event, fields);
}
uint64_t LogLinesDropped() { return TheLogger().Dropped(); }

}  // namespace apiquota
