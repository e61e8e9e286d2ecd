#include "provider/rfc3339.h"

#include <fmt/format.h>

#include "base/text.h"

namespace apiquota::provider {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr size_t kFractionDigitsMax = 9;

// `pattern`: d is a digit, anything else stands for itself.
bool Fits(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return false;
  }
  return true;
}

int Number(std::string_view text, size_t at, size_t count) {
  return static_cast<int>(ParseDigits(text.substr(at, count)).value_or(0));
}

// ".4799" in front of `text`, taken off; nothing if there is a point without digits.
std::optional<Micros> TakeFraction(std::string_view* text) {
  if (!text->starts_with('.')) return Micros(0);
  const std::string_view digits = text->substr(1, text->find_first_not_of("0123456789", 1) - 1);
  if (digits.empty() || digits.size() > kFractionDigitsMax) return std::nullopt;
  std::string micros(digits.substr(0, 6));
  micros.resize(6, '0');
  text->remove_prefix(1 + digits.size());
  return Micros(static_cast<int64_t>(ParseDigits(micros).value_or(0)));
}

// "Z" or "+02:00", the whole of `text`; also as many APIs write it: "+0200", "+02", " UTC", " GMT",
// " +0000 UTC", or nothing, which is UTC.
std::optional<Micros> ParseOffset(std::string_view text) {
  text = Trim(text);
  for (const std::string_view utc : {"", "Z", "UTC", "GMT"}) {
    if (EqualsIgnoreCase(text, utc)) return Micros(0);
  }
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  if (text == "+0000 UTC") return Micros(0);  // as Go prints a time
  const std::string_view digits = text.substr(1);
  const auto is = [digits](std::string_view pattern) {
    return digits.size() == pattern.size() && Fits(digits, pattern);
  };
  if (!is("dd:dd") && !is("dddd") && !is("dd")) return std::nullopt;
  const int hours = Number(digits, 0, 2);
  const int minutes = digits.size() > 2 ? Number(digits, digits.size() - 2, 2) : 0;
  if (hours > 23 || minutes > 59) return std::nullopt;
  const Micros offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<SystemTime> ParseRfc3339(std::string_view text) {
  constexpr std::string_view kDate = "dddd-dd-dd";
  constexpr std::string_view kTime = "dd:dd:dd";
  constexpr std::string_view kToTheMinute = "dd:dd";
  if (!Fits(text, kDate) || text.size() <= kDate.size()) return std::nullopt;
  const char separator = text[kDate.size()];
  if (separator != 'T' && separator != 't' && separator != ' ') return std::nullopt;
  std::string_view rest = text.substr(kDate.size() + 1);
  const bool seconds = Fits(rest, kTime);
  if (!seconds && !Fits(rest, kToTheMinute)) return std::nullopt;
  const int hour = Number(rest, 0, 2);
  const int minute = Number(rest, 3, 2);
  const int second = seconds ? Number(rest, 6, 2) : 0;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
  rest.remove_prefix(seconds ? kTime.size() : kToTheMinute.size());
  const auto fraction = TakeFraction(&rest);
  const auto offset = ParseOffset(rest);
  const year_month_day date(std::chrono::year(Number(text, 0, 4)),
                            std::chrono::month(static_cast<unsigned>(Number(text, 5, 2))),
                            std::chrono::day(static_cast<unsigned>(Number(text, 8, 2))));
  if (!fraction || !offset || !date.ok() || date.year() < std::chrono::year(1970)) return std::nullopt;
  return SystemTime(sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + *fraction - *offset;
}

std::string FormatRfc3339(SystemTime time) {
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace apiquota::provider
