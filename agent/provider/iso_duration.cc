#include "provider/iso_duration.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text.h"

namespace apiquota::provider {
namespace {

struct Part {
  char letter;
  double seconds;
};
constexpr std::array<Part, 2> kDateParts = {{{'W', 604800}, {'D', 86400}}};
constexpr std::array<Part, 3> kTimeParts = {{{'H', 3600}, {'M', 60}, {'S', 1}}};
constexpr double kSecondsMax = 100 * 365.25 * 86400;

// The number in front of `text`, taken off; "1,5" is 1.5. Sets `fraction` if it has one.
std::optional<double> TakeNumber(std::string_view* text, bool* fraction) {
  std::string number(text->substr(0, text->find_first_not_of("0123456789.,")));
  text->remove_prefix(number.size());
  if (const size_t comma = number.find(','); comma != std::string::npos) number[comma] = '.';
  *fraction = number.find('.') != std::string::npos;
  return ParseDecimal(number);
}

// Numbers with the letters of `parts`, in their order, as many as there are; nothing if something else comes.
template <size_t N>
std::optional<double> TakeParts(std::string_view* text, const std::array<Part, N>& parts) {
  double total = 0;
  size_t next = 0;
  while (!text->empty() && text->front() != 'T') {
    bool fraction = false;
    const auto number = TakeNumber(text, &fraction);
    if (!number || text->empty()) return std::nullopt;
    while (next < N && parts[next].letter != text->front()) ++next;
    if (next == N) return std::nullopt;
    total += *number * parts[next++].seconds;
    text->remove_prefix(1);
    if (fraction && !text->empty()) return std::nullopt;
  }
  return total;
}

}  // namespace

std::optional<Micros> ParseIsoDuration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  auto total = TakeParts(&text, kDateParts);
  if (total && text.starts_with('T')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    const auto time = TakeParts(&text, kTimeParts);
    if (!time || !text.empty()) return std::nullopt;
    *total += *time;
  }
  if (!total || *total > kSecondsMax) return std::nullopt;
  return Micros(std::llround(*total * 1e6));
}

std::string FormatIsoDuration(Micros duration) {
  return fmt::format("PT{}S", std::chrono::floor<std::chrono::seconds>(duration).count());
}

}  // namespace apiquota::provider
