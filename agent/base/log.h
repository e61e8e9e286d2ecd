// Structured log lines to stderr, logfmt or JSON, one event a line:
//   Log(LogLevel::kInfo, "throttle", {{"api", api}, {"scope", "primary"}});
//   → ts=2026-11-22T15:00:00.000Z level=info event=throttle api=openai scope=primary
// Values are escaped (control bytes, invalid UTF-8), so a line can't be forged. Never pass a
// credential, a query string or a body. Thread-safe. A caller never waits for a slow stderr: lines
// go through a bounded queue, what doesn't fit is dropped and counted (apiquota_log_dropped_total).
// What may happen a thousand times a second is told by LogFolded.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

std::optional<LogLevel> ParseLogLevel(std::string_view text);    // debug info warn error
std::optional<LogFormat> ParseLogFormat(std::string_view text);  // logfmt json

struct LogField {
  std::string_view name;
  std::string value;
};

// Before StartLogging, lines go to stderr at once in logfmt at level info. Call once, from main.
void StartLogging(LogLevel level, LogFormat format);

// Writes out what is queued, for a second at most where stderr takes nothing (the rest is dropped), and
// returns to the unqueued state. Call before the process ends.
void StopLogging();

void Log(LogLevel level, std::string_view event, std::span<const LogField> fields);
inline void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(level, event, std::span(fields.begin(), fields.size()));
}

// One line for many: the first of an event and key at once, then at most one a minute, with repeated=N: it
// stands for N more (base/log_fold.h). Held lines are written when their minute ends, and by StopLogging.
// Event and field names must have static storage; keys are from a small set, never a client's words.
void LogFolded(LogLevel level, std::string_view event, std::string_view key,
               std::initializer_list<LogField> fields);

uint64_t LogLinesDropped();

// The pure half: one line without its newline.
std::string FormatLogLine(LogFormat format, SystemTime now, LogLevel level, std::string_view event,
                          std::span<const LogField> fields);
inline std::string FormatLogLine(LogFormat format, SystemTime now, LogLevel level, std::string_view event,
                                 std::initializer_list<LogField> fields) {
  return FormatLogLine(format, now, level, event, std::span(fields.begin(), fields.size()));
}

}  // namespace apiquota
