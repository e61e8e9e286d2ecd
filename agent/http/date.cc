#include "http/date.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace apiquota::http {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int kYearMin = 1601;  // no HTTP clock was set before

// Takes from the front of a text what a form demands; once something is missing, `ok` stays false.
struct Scanner {
  std::string_view text;
  bool ok = true;

  void Expect(std::string_view literal) {
    ok = ok && text.starts_with(literal);
    if (ok) text.remove_prefix(literal.size());
  }
  int Digits(size_t count) {
    const auto value = ParseDigits(text.substr(0, count));
    ok = ok && text.size() >= count && value.has_value();
    if (!ok) return 0;
    text.remove_prefix(count);
    return static_cast<int>(*value);
  }
  // The index of the word the text starts with.
  int Word(std::span<const std::string_view> words) {
    const auto found =
        std::ranges::find_if(words, [&](std::string_view word) { return text.starts_with(word); });
    ok = ok && found != words.end();
    if (!ok) return 0;
    text.remove_prefix(found->size());
    return static_cast<int>(found - words.begin());
  }
  Micros TimeOfDay() {
    const int hour = Digits(2);
    Expect(":");
    const int minute = Digits(2);
    Expect(":");
    const int second = Digits(2);
    ok = ok && hour < 24 && minute < 60 && second <= 60;  // 60: a leap second (RFC 5322)
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }
};

std::optional<SystemTime> Finish(const Scanner& scanner, int year, int month, int day, Micros time_of_day) {
  const year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month) + 1),
                            std::chrono::day(static_cast<unsigned>(day)));
  if (!scanner.ok || !scanner.text.empty() || !date.ok() || year < kYearMin) return std::nullopt;
  return SystemTime(sys_days(date)) + time_of_day;
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<SystemTime> ParseImfFixdate(std::string_view text) {
  Scanner scanner{text};
  scanner.Word(kDays);
  scanner.Expect(", ");
  const int day = scanner.Digits(2);
  scanner.Expect(" ");
  const int month = scanner.Word(kMonths);
  scanner.Expect(" ");
  const int year = scanner.Digits(4);
  scanner.Expect(" ");
  const Micros time = scanner.TimeOfDay();
  scanner.Expect(" GMT");
  return Finish(scanner, year, month, day, time);
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<SystemTime> ParseRfc850(std::string_view text, SystemTime now) {
  Scanner scanner{text};
  scanner.Word(kLongDays);
  scanner.Expect(", ");
  const int day = scanner.Digits(2);
  scanner.Expect("-");
  const int month = scanner.Word(kMonths);
  scanner.Expect("-");
  const int short_year = scanner.Digits(2);
  scanner.Expect(" ");
  const Micros time = scanner.TimeOfDay();
  scanner.Expect(" GMT");
  const int this_year = static_cast<int>(year_month_day(std::chrono::floor<days>(now)).year());
  int year = this_year - this_year % 100 + short_year;
  if (year > this_year + 50) year -= 100;
  return Finish(scanner, year, month, day, time);
}

// Sun Nov  6 08:49:37 1994
std::optional<SystemTime> ParseAsctime(std::string_view text) {
  Scanner scanner{text};
  scanner.Word(kDays);
  scanner.Expect(" ");
  const int month = scanner.Word(kMonths);
  scanner.Expect(" ");
  const bool padded = scanner.text.starts_with(' ');
  if (padded) scanner.Expect(" ");
  const int day = scanner.Digits(padded ? 1 : 2);
  scanner.Expect(" ");
  const Micros time = scanner.TimeOfDay();
  scanner.Expect(" ");
  const int year = scanner.Digits(4);
  return Finish(scanner, year, month, day, time);
}

}  // namespace

std::optional<SystemTime> ParseHttpDate(std::string_view text, SystemTime now) {
  if (const auto time = ParseImfFixdate(text)) return time;
  if (const auto time = ParseRfc850(text, now)) return time;
  return ParseAsctime(text);
}

std::string FormatHttpDate(SystemTime time) {
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
                     kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace apiquota::http
