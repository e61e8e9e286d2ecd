#include "provider/header_index.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {
namespace {

// The first eight bytes as one number, lower-cased ("-" and digits stay what they are); shorter texts end in
// spaces.
uint64_t LoadLower(std::string_view text) {
  constexpr uint64_t kLowerBits = 0x2020202020202020;
  uint64_t bytes = 0;
  if (text.size() >= sizeof bytes) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
  } else {
    for (size_t i = text.size(); i-- > 0;) bytes = bytes << 8 | static_cast<uint8_t>(text[i]);
  }
  return bytes | kLowerBits;
}

// Names of one family differ in their length, their middle or their end: enough to spread them.
uint64_t HashName(std::string_view name) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // the golden ratio's bits
  const size_t tail = name.size() < 8 ? 0 : name.size() - 8;
  uint64_t hash = (LoadLower(name.substr(tail / 2)) ^ name.size()) * kOdd;
  hash = ((hash >> 29) ^ hash ^ LoadLower(name.substr(tail))) * kOdd;
  return hash >> 32;
}

// Eight bytes, their capital letters made small. Each byte is shifted so that its high bit tells.
uint64_t LowerBlock(uint64_t bytes) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const uint64_t low = bytes & kEach * 0x7f;
  const uint64_t from_a = low + kEach * (0x80 - 'A');
  const uint64_t beyond_z = low + kEach * (0x7f - 'Z');
  const uint64_t capital = from_a & ~beyond_z & ~bytes & kEach * 0x80;
  return bytes | capital >> 2;
}

// EqualsIgnoreCase with a name in lower case, eight bytes at a time; the last eight may overlap those before.
bool IsName(std::string_view lower, std::string_view name) {
  constexpr size_t kBlock = sizeof(uint64_t);
  if (lower.size() != name.size()) return false;
  if (name.size() < kBlock) return EqualsIgnoreCase(lower, name);
  for (size_t at = 0; at < name.size(); at += kBlock) {
    at = std::min(at, name.size() - kBlock);
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, lower.data() + at, kBlock);
    std::memcpy(&b, name.data() + at, kBlock);
    if (a != b && a != LowerBlock(b)) return false;
  }
  return true;
}

bool EndsWithIgnoreCase(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && EqualsIgnoreCase(text.substr(text.size() - suffix.size()), suffix);
}

// What the '*' between prefix and suffix stands for; empty if the name does not match.
std::string_view StarOf(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size()) return {};
  if (!StartsWithIgnoreCase(name, prefix) || !EndsWithIgnoreCase(name, suffix)) return {};
  return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

}  // namespace

bool MatchesHeaderPattern(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return EqualsIgnoreCase(name, pattern);
  return !StarOf(name, pattern.substr(0, star), pattern.substr(star + 1)).empty();
}

void HeaderIndex::Add(const std::string& name, HeaderTarget target) {
  const size_t star = name.find('*');
  const bool pattern = star != std::string::npos;
  Entry wanted{pattern ? name.substr(0, star) : name, pattern ? name.substr(star + 1) : "", pattern, {}};
  std::vector<Entry>& entries = pattern ? patterns_ : exact_;
  auto found = std::ranges::find_if(
      entries, [&](const Entry& e) { return e.name == wanted.name && e.suffix == wanted.suffix; });
  if (found == entries.end()) found = entries.insert(entries.end(), std::move(wanted));
  found->targets.push_back(target);
}

HeaderIndex::HeaderIndex(const Exporter& exporter) {
  using Kind = HeaderTarget::Kind;
  const auto index = [](size_t i) { return static_cast<uint16_t>(i); };
  for (size_t r = 0; r < exporter.quotas.size(); ++r) {
    const QuotaRule& rule = exporter.quotas[r];
    for (size_t f = 0; f < rule.sources.size(); ++f) {
      for (size_t s = 0; s < rule.sources[f].size(); ++s) {
        const FieldSource& source = rule.sources[f][s];
        if (source.from != FieldSource::From::kHeader) continue;
        Add(source.name, {Kind::kQuotaField, static_cast<uint8_t>(f), index(r), index(s)});
      }
    }
    if (!rule.policy_header.empty()) Add(rule.policy_header, {Kind::kPolicy, 0, index(r), 0});
    if (!rule.status_header.empty()) Add(rule.status_header, {Kind::kStatus, 0, index(r), 0});
  }
  for (size_t r = 0; r < exporter.resources.size(); ++r) {
    if (exporter.resources[r].from == ResourceRule::From::kHeader) {
      Add(exporter.resources[r].name, {Kind::kResource, 0, index(r), 0});
    }
  }
  for (size_t s = 0; s < exporter.retry_after.size(); ++s) {
    if (exporter.retry_after[s].from == FieldSource::From::kHeader) {
      Add(exporter.retry_after[s].name, {Kind::kRetryAfter, 0, 0, index(s)});
    }
  }
  for (const QuotaRule& rule : exporter.quotas) {
    for (const Condition& condition : rule.when.headers) Add(condition.name, {});
  }
  for (const ThrottleRule& rule : exporter.throttles) {
    for (const Condition& condition : rule.conditions) {
      if (condition.on == Condition::On::kHeader) Add(condition.name, {});
    }
  }
  for (const std::string& name : exporter.ignore) Add(name, {});
  BuildTable();
  BuildPatternStarts();
}

void HeaderIndex::BuildTable() {
  size_t size = 16;
  while (size < exact_.size() * 2) size *= 2;
  table_.assign(size, kEmpty);
  for (size_t i = 0; i < exact_.size(); ++i) {
    size_t at = HashName(exact_[i].name) & (size - 1);
    while (table_[at] != kEmpty) at = (at + 1) & (size - 1);
    table_[at] = static_cast<uint16_t>(i);
    lengths_.at(FirstLetter(exact_[i].name)) |= LengthBit(exact_[i].name);
  }
}

void HeaderIndex::BuildPatternStarts() {
  for (const Entry& entry : patterns_) {
    const PatternStart start{
        LoadLower(entry.name),
        entry.name.empty() ? 0 : ~uint64_t{0} >> (8 * (8 - std::min<size_t>(entry.name.size(), 8)))};
    const auto same = [&](const PatternStart& known) {
      return known.bytes == start.bytes && known.mask == start.mask;
    };
    if (std::ranges::none_of(pattern_starts_, same)) pattern_starts_.push_back(start);
    const size_t shortest = std::min(entry.name.size() + entry.suffix.size() + 1, kLongest);
    for (size_t letter = 0; letter < lengths_.size(); ++letter) {
      if (entry.name.empty() || letter == FirstLetter(entry.name))
        lengths_[letter] |= ~uint64_t{0} << shortest;
    }
  }
}

HeaderIndex::Match HeaderIndex::LookUp(std::string_view name) const {
  const size_t mask = table_.size() - 1;
  for (size_t at = HashName(name) & mask; table_[at] != kEmpty; at = (at + 1) & mask) {
    const Entry& entry = exact_[table_[at]];
    if (IsName(entry.name, name)) return {entry.targets, {}};
  }
  const uint64_t start = LoadLower(name);
  const auto begins = [&](const PatternStart& known) { return ((start ^ known.bytes) & known.mask) == 0; };
  if (std::ranges::none_of(pattern_starts_, begins)) return {};
  for (const Entry& entry : patterns_) {
    const std::string_view star = StarOf(name, entry.name, entry.suffix);
    if (!star.empty()) return {entry.targets, star};
  }
  return {};
}

}  // namespace apiquota::provider
