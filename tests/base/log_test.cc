#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace apiquota {
namespace {

constexpr SystemTime kNow{std::chrono::microseconds(1'763'823'600'123'999)};

std::string Logfmt(std::string_view event, std::initializer_list<LogField> fields) {
  return FormatLogLine(LogFormat::kLogfmt, kNow, LogLevel::kInfo, event, fields);
}

std::string Json(std::string_view event, std::initializer_list<LogField> fields) {
  return FormatLogLine(LogFormat::kJson, kNow, LogLevel::kWarn, event, fields);
}

TEST(LogTest, LogfmtLineIsGolden) {
  EXPECT_EQ(
      Logfmt("throttle", {{"api", "openai"}, {"scope", "primary"}, {"retry_after", "1.5"}, {"resource", ""}}),
      R"(ts=2025-11-22T15:00:00.123Z level=info event=throttle api=openai scope=primary )"
      R"(retry_after=1.5 resource="")");
}

TEST(LogTest, JsonLineIsGolden) {
  EXPECT_EQ(Json("reload", {{"file", "/etc/api quota.yaml"}, {"error", R"(unknown key "x\y")"}}),
            R"({"ts":"2025-11-22T15:00:00.123Z","level":"warn","event":"reload",)"
            R"("file":"/etc/api quota.yaml","error":"unknown key \"x\\y\""})");
}

TEST(LogTest, AnEventAloneIsALine) {
  EXPECT_EQ(Logfmt("stopped", {}), "ts=2025-11-22T15:00:00.123Z level=info event=stopped");
  EXPECT_EQ(Json("stopped", {}), R"({"ts":"2025-11-22T15:00:00.123Z","level":"warn","event":"stopped"})");
}

TEST(LogTest, ValuesThatNeedItAreQuoted) {
  EXPECT_EQ(Logfmt("e", {{"a", "x=y"}, {"b", "x y"}, {"c", "x\"y"}, {"d", "x\\y"}, {"f", "größe"}}),
            R"(ts=2025-11-22T15:00:00.123Z level=info event=e a="x=y" b="x y" c="x\"y" d="x\\y" f="größe")");
}

TEST(LogTest, LinesCannotBeForged) {
  const std::string forged = "x\nts=2025 level=error event=pwned\r\x1b[31m\t\x7f";
  EXPECT_EQ(Logfmt("e", {{"v", forged}}),
            R"(ts=2025-11-22T15:00:00.123Z level=info event=e )"
            R"(v="x\u000ats=2025 level=error event=pwned\u000d\u001b[31m\u0009\u007f")");
  EXPECT_EQ(
      Json("e", {{"v", std::string("\",\"level\":\"error\0", 17)}}),
      R"({"ts":"2025-11-22T15:00:00.123Z","level":"warn","event":"e","v":"\",\"level\":\"error\u0000"})");
}

TEST(LogTest, InvalidUtf8AndC1ControlsAreEscaped) {
  const std::pair<const char*, const char*> cases[] = {
      {"\x80", R"("\ufffd")"},                                // lone continuation
      {"\xc0\xaf", R"("\ufffd\ufffd")"},                      // overlong '/'
      {"\xe0\x80\x80", R"("\ufffd\ufffd\ufffd")"},            // overlong NUL
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},            // a surrogate
      {"\xf0\x80\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // overlong
      {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // beyond U+10FFFF
      {"\xff", R"("\ufffd")"},
      {"a\xe2\x82", R"("a\ufffd\ufffd")"},   // cut short
      {"\xe2\x82\xac", "\"\xe2\x82\xac\""},  // the euro sign
      {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
      {"\xc2\x9b"
       "2J",
       R"("\u009b2J")"},  // CSI as one character
  };
  const std::string front = "ts=2025-11-22T15:00:00.123Z level=info event=e v=";
  for (const auto& [value, shown] : cases) EXPECT_EQ(Logfmt("e", {{"v", value}}), front + shown);
}

TEST(LogTest, LevelsAndFormatsHaveNames) {
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("info"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("INFO"), std::nullopt);
  EXPECT_EQ(ParseLogFormat("logfmt"), LogFormat::kLogfmt);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat(""), std::nullopt);
}

// Points stderr at a pipe for as long as it lives.
class StderrPipe {
 public:
  StderrPipe() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    std::fflush(stderr);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~StderrPipe() { close(ends_[0]); }
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;

  void RestoreStderr() {
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

  std::string ReadAll() const {
    std::string text;
    char bytes[65536];
    for (ssize_t n = 0; (n = read(ends_[0], bytes, sizeof bytes)) > 0;) text.append(bytes, n);
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
  int saved_;
};

TEST(LogTest, LinesOfTheLevelAndAboveAreWrittenInOrder) {
  StderrPipe pipe;
  StartLogging(LogLevel::kWarn, LogFormat::kJson);
  Log(LogLevel::kInfo, "too-low");
  Log(LogLevel::kWarn, "first");
  Log(LogLevel::kError, "second");
  StopLogging();
  pipe.RestoreStderr();
  std::string text = pipe.ReadAll();
  const auto without_time = [](std::string line) { return line.erase(0, line.find(",\"level\"")); };
  const size_t middle = text.find('\n') + 1;
  EXPECT_EQ(without_time(text.substr(0, middle)), ",\"level\":\"warn\",\"event\":\"first\"}\n");
  EXPECT_EQ(without_time(text.substr(middle)), ",\"level\":\"error\",\"event\":\"second\"}\n");
}

TEST(LogTest, ASlowStderrDropsAndCountsInsteadOfBlocking) {
  constexpr int kLines = 20'000;  // more than a pipe, a batch and a queue hold
  StderrPipe pipe;
  const uint64_t dropped_before = LogLinesDropped();
  StartLogging(LogLevel::kInfo, LogFormat::kLogfmt);
  for (int i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "line", {{"i", std::to_string(i)}});
  const uint64_t dropped = LogLinesDropped() - dropped_before;
  std::string text;
  std::thread reader([&] { text = pipe.ReadAll(); });
  StopLogging();
  pipe.RestoreStderr();
  reader.join();
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(static_cast<uint64_t>(std::ranges::count(text, '\n')) + dropped, kLines);
}

TEST(LogTest, EqualLinesAreFoldedAndTheirNumberIsToldAtTheEnd) {
  StderrPipe pipe;
  StartLogging(LogLevel::kWarn, LogFormat::kLogfmt);
  for (int i = 0; i < 7; ++i) LogFolded(LogLevel::kWarn, "upstream_error", "demo/dns", {{"reason", "dns"}});
  LogFolded(LogLevel::kInfo, "too-low", "k", {});
  StopLogging();
  pipe.RestoreStderr();
  std::string text = pipe.ReadAll();
  const size_t middle = text.find('\n') + 1;
  const auto ends = [](std::string_view line, std::string_view end) { return line.ends_with(end); };
  EXPECT_PRED2(ends, text.substr(0, middle), "level=warn event=upstream_error reason=dns\n");
  EXPECT_PRED2(ends, text.substr(middle), "level=warn event=upstream_error reason=dns repeated=6\n");
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST(LogTest, TheEndDoesNotWaitForAStderrThatNobodyReads) {
  StderrPipe pipe;
  const uint64_t dropped_before = LogLinesDropped();
  StartLogging(LogLevel::kInfo, LogFormat::kLogfmt);
  for (int i = 0; i < 4000; ++i) Log(LogLevel::kInfo, "line", {{"text", std::string(100, 'x')}});
  StopLogging();  // returns although the pipe is full
  EXPECT_GT(LogLinesDropped(), dropped_before);
  pipe.RestoreStderr();
}

}  // namespace
}  // namespace apiquota
