#include "provider/pointer_set.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace apiquota::provider {
namespace {

constexpr size_t kTokensMax = 16;

// RFC 6901 3: "/a~1b/0" → "a/b", "0".
std::vector<std::string> PointerTokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  for (const std::string_view part : Split(pointer.substr(1), '/')) {
    tokens.push_back(UnescapedSegment(part));
  }
  return tokens;
}

}  // namespace

std::string UnescapedSegment(std::string_view segment) {
  std::string token;
  for (size_t i = 0; i < segment.size(); ++i) {
    const char next = i + 1 < segment.size() ? segment[i + 1] : ' ';
    const bool escape = segment[i] == '~' && (next == '0' || next == '1');
    token.push_back(!escape ? segment[i] : next == '0' ? '~' : '/');
    if (escape) ++i;
  }
  return token;
}

const PointerSet::Level PointerSet::kNothing;

PointerSet::PointerSet(const std::vector<std::string>& pointers) {
  for (const std::string& pointer : pointers) Add(pointer);
}

uint64_t PointerSet::Add(const std::string& pointer) {
  const auto known = std::ranges::find(pointers_, pointer, &Pointer::text);
  if (known != pointers_.end()) return uint64_t{1} << (known - pointers_.begin());
  Pointer added{pointer, PointerTokens(pointer), {}};
  for (size_t i = 0; i < added.tokens.size(); ++i) {
    if (added.tokens[i] == "*") added.stars.push_back(i);
  }
  if (size() == kPointersMax || added.tokens.size() > kTokensMax || added.stars.size() > kStarsMax) return 0;
  const uint64_t bit = uint64_t{1} << size();
  if (!added.stars.empty()) stars_ |= bit;
  AddToLevels(added, bit);
  pointers_.push_back(std::move(added));
  return bit;
}

void PointerSet::AddToLevels(const Pointer& pointer, uint64_t bit) {
  const size_t length = pointer.tokens.size();
  if (levels_.size() <= length) levels_.resize(length + 1);
  levels_[length].ending |= bit;
  for (size_t depth = 0; depth < length; ++depth) {
    const std::string& text = pointer.tokens[depth];
    Level& level = levels_[depth];
    if (text == "*") {
      level.stars |= bit;
      continue;
    }
    const auto known = std::ranges::find(level.tokens, text, &Level::Token::text);
    if (known != level.tokens.end()) {
      known->pointers |= bit;
    } else {
      level.tokens.push_back({text, bit});
    }
  }
}

}  // namespace apiquota::provider
