#include "simulate/announce.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/duration.h"
#include "base/text.h"
#include "simulate/dialect.h"

namespace apiquota::simulate {
namespace {

using provider::QuotaRule;

// What stands for the '*' of `pattern` in `name`; nothing if it does not match.
std::optional<std::string_view> MatchStar(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos)
    return name == pattern ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) {
    return std::nullopt;
  }
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

// A balance does not come back by itself; here it must, or every simulation would end with it.
LimitKind KindOf(provider::QuotaKind kind) {
  switch (kind) {
    case provider::QuotaKind::kSliding:
      return LimitKind::kSliding;
    case provider::QuotaKind::kBucket:
      return LimitKind::kBucket;
    case provider::QuotaKind::kConcurrency:
      return LimitKind::kConcurrency;
    default:
      return LimitKind::kFixed;
  }
}

// NAME[=LIMIT][/WINDOW][,KIND]
struct QuotaText {
  std::string_view name;
  std::optional<double> limit;
  std::optional<Micros> window;
  std::optional<LimitKind> kind;
};

Result<QuotaText> ParseQuota(std::string_view text) {
  QuotaText quota{.name = text, .limit = {}, .window = {}, .kind = {}};
  if (const size_t comma = quota.name.rfind(','); comma != std::string_view::npos) {
    const auto* const word = std::ranges::find(kLimitKindWords, quota.name.substr(comma + 1),
                                               &std::pair<std::string_view, LimitKind>::first);
    if (word == kLimitKindWords.end())
      return Fail(fmt::format("--quota: {} after the comma", kLimitKindExpected));
    quota.kind = word->second;
    quota.name = quota.name.substr(0, comma);
  }
  if (const size_t slash = quota.name.rfind('/'); slash != std::string_view::npos) {
    quota.window = ParseDuration(quota.name.substr(slash + 1));
    if (!quota.window || *quota.window <= Micros(0)) {
      return Fail("--quota: a duration such as 60s is expected after the /");
    }
    quota.name = quota.name.substr(0, slash);
  }
  if (const size_t equals = quota.name.find('='); equals != std::string_view::npos) {
    quota.limit = ParseDecimal(quota.name.substr(equals + 1));
    if (!quota.limit || *quota.limit <= 0) return Fail("--quota: a limit above 0 is expected after the =");
    quota.name = quota.name.substr(0, equals);
  }
  return quota;
}

class Announcer {
 public:
  Announcer(const SimulateOptions& options, const provider::Exporter& exporter)
      : options_(options), exporter_(exporter) {}

  // A whole name before one that a '*' makes room for.
  Status AddNamed(const QuotaText& quota) {
    for (const bool stars : {false, true}) {
      for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
        const QuotaRule& rule = exporter_.quotas[r];
        const std::optional<std::string_view> star = MatchStar(rule.quota, quota.name);
        if (!star || star->empty() == stars || !Announcable(rule)) continue;
        Add(r, star->empty() ? NameForStar(exporter_, r) : *star, quota);
        return {};
      }
    }
    return Fail(fmt::format("--quota: {} says no quota of this name", exporter_.info.name));
  }

  void AddAll() {
    const auto announce = [&](bool stars, bool always) {
      for (size_t r = 0; r < exporter_.quotas.size(); ++r) {
        const QuotaRule& rule = exporter_.quotas[r];
        const auto same = [&](const Announced& announced) { return announced.rule->quota == rule.quota; };
        if (!Announcable(rule) || std::ranges::any_of(announced_, same)) continue;
        if ((rule.quota.find('*') != std::string::npos) != stars || Always(rule.when) != always) continue;
        Add(r, NameForStar(exporter_, r), {});
        if (stars) return;
      }
    };
    announce(false, true);
    // What is told in some responses only is announced when it is named, or if there is nothing else.
    if (announced_.empty()) announce(false, false);
    if (announced_.empty()) announce(true, true);
    if (announced_.empty()) announce(true, false);
  }

  std::vector<Announced> Take() { return std::move(announced_); }

 private:
  bool Announcable(const QuotaRule& rule) const {
    return CanBeSaid(rule) && (!options_.ietf || SpeaksIetf(rule));
  }

  // What is not counted in requests costs as --cost says, unless it is tokens and they are counted.
  LimitUnit UnitOf(std::string_view name, std::string_view unit) const {
    if (unit == "requests" || unit == "concurrent-requests") return LimitUnit::kRequests;
    if (!options_.tokens_charged || unit != "tokens") return LimitUnit::kOther;
    if (ContainsIgnoreCase(name, "input")) return LimitUnit::kInputTokens;
    return ContainsIgnoreCase(name, "output") ? LimitUnit::kOutputTokens : LimitUnit::kTokens;
  }

  // What is counted of a call's tokens, where the file knows.
  void ChargeAsTheApi(LimitOptions* limit) const {
    const bool tokens = limit->unit != LimitUnit::kRequests && limit->unit != LimitUnit::kOther;
    if (!tokens || !exporter_.info.charge) return;
    constexpr LimitUnit kUnits[] = {LimitUnit::kInputTokens, LimitUnit::kOutputTokens, LimitUnit::kTokens};
    constexpr CapCharge kCaps[] = {CapCharge::kSum, CapCharge::kMax, CapCharge::kIgnored};
    const provider::QuotaCharge& charge = provider::ChargeOf(*exporter_.info.charge, limit->name);
    limit->unit = kUnits[static_cast<size_t>(charge.counts)];
    limit->cap = kCaps[static_cast<size_t>(charge.cap)];
  }

  void Add(size_t index, std::string_view star, const QuotaText& quota) {
    const QuotaRule& rule = exporter_.quotas[index];
    // Where equal numbers mean one and the same quota, each needs a limit of its own.
    const double factor = exporter_.merge_equal ? static_cast<double>(announced_.size() + 1) : 1;
    std::optional<double> limit = quota.limit;
    if (!limit) limit = KnownLimit(rule).value_or(options_.limit * factor);
    std::optional<Micros> window = quota.window ? quota.window : options_.window;
    if (!window) window = KnownWindow(rule, star, options_.resource).value_or(std::chrono::seconds(60));
    std::optional<LimitKind> kind = quota.kind ? quota.kind : options_.kind;
    if (!kind) kind = KindOf(rule.kind);
    LimitOptions enforced{.name = QuotaName(rule, star),
                          .kind = *kind,
                          .limit = *limit,
                          .window = *window,
                          .burst = options_.burst,
                          .charge = options_.tokens_charged.value_or(Charge::kStart)};
    enforced.unit = UnitOf(enforced.name, QuotaUnit(rule, star));
    ChargeAsTheApi(&enforced);
    const bool divides =
        options_.sub_limit && *options_.sub_limit < *window && kind != LimitKind::kConcurrency;
    if (divides) enforced.sub_window = options_.sub_limit;
    announced_.push_back({&rule, std::string(star), std::move(enforced)});
  }

  const SimulateOptions& options_;
  const provider::Exporter& exporter_;
  std::vector<Announced> announced_;
};

}  // namespace

bool Always(const provider::When& when) {
  return when.statuses.empty() && when.path.empty() && when.headers.empty();
}

Result<std::vector<Announced>> Announce(const SimulateOptions& options, const provider::Exporter& exporter) {
  Announcer announcer(options, exporter);
  for (const std::string& text : options.quotas) {
    const Result<QuotaText> quota = ParseQuota(text);
    if (!quota) return std::unexpected(quota.error());
    if (Status status = announcer.AddNamed(*quota); !status) return std::unexpected(status.error());
  }
  if (options.quotas.empty()) announcer.AddAll();
  return announcer.Take();
}

}  // namespace apiquota::simulate
