#include "simulate/faults.h"

#include "base/text.h"

namespace apiquota::simulate {
namespace {

constexpr double kRounding = 1e-9;

}  // namespace

std::optional<double> ParseShare(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto percent = ParseDecimal(text.substr(0, text.size() - 1));
  return percent && *percent > 0 && *percent <= 100 ? std::optional(*percent / 100) : std::nullopt;
}

Result<Faults> Faults::Create(const std::vector<std::string>& failures, double bare_429) {
  Faults faults;
  for (const std::string_view text : failures) {
    const size_t colon = text.find(':');
    const auto status = ParseDigits(text.substr(0, colon));
    const auto share = colon == std::string_view::npos ? std::nullopt : ParseShare(text.substr(colon + 1));
    if (!status || *status < 400 || *status > 599 || !share) {
      return Fail("--fail: a status from 400 to 599 and a share are expected, such as 503:20%");
    }
    faults.kinds_.push_back({.status = static_cast<int>(*status), .share = *share, .failure = true});
  }
  if (bare_429 > 0) faults.kinds_.push_back({.status = 429, .share = bare_429, .failure = false});
  return faults;
}

std::optional<int> Faults::Next() {
  Kind* chosen = nullptr;
  for (Kind& kind : kinds_) {
    kind.due += kind.share;
    if (chosen == nullptr && kind.due >= 1 - kRounding) chosen = &kind;
  }
  if (chosen == nullptr) return std::nullopt;
  chosen->due -= 1;
  ++(chosen->failure ? failed_ : bare_429s_);
  return chosen->status;
}

}  // namespace apiquota::simulate
