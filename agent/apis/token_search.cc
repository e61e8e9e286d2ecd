#include "apis/token_search.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <string>

#include "http/query.h"

namespace apiquota::apis {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr size_t kWindow = sizeof(uint64_t);
constexpr int kDecodedTimes = 3;
constexpr size_t kBitsPerEntry = 256;  // one lookup in as many is in vain
static_assert(TokenSearch::kTokenBytesMin == kWindow);

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The letters of base64 that `token` alone decides when `before` bytes (0 to 2) of something else share its
// first group of three, and anything may follow.
std::string InBase64(std::string_view token, size_t before) {
  const std::string bytes = std::string(before, '\0').append(token);
  const size_t first = before == 0 ? 0 : before + 1;  // a letter that holds bits of both is nobody's
  std::string letters;
  for (size_t i = first; (i + 1) * 6 <= bytes.size() * 8; ++i) {
    const size_t at = i * 6 / 8;
    const auto high = static_cast<unsigned char>(bytes[at]);
    const auto low = static_cast<unsigned char>(at + 1 < bytes.size() ? bytes[at + 1] : 0);
    letters.push_back(kBase64[(high << 8 | low) >> (10 - i * 6 % 8) & 63]);
  }
  return letters;
}

std::string InUrlAlphabet(std::string letters) {
  std::ranges::replace(letters, '+', '-');
  std::ranges::replace(letters, '/', '_');
  return letters;
}

}  // namespace

TokenSearch::TokenSearch(const std::vector<std::string_view>& tokens) {
  std::random_device random;
  for (uint64_t& key : key_) key = uint64_t{random()} << 32 | random();
  key_[1] |= 1;
  for (const std::string_view token : tokens) {
    if (token.size() < kTokenBytesMin) continue;
    Add(token);
    for (size_t before = 0; before < 3; ++before) {
      const std::string letters = InBase64(token, before);
      const std::string for_urls = InUrlAlphabet(letters);
      Add(letters);
      if (for_urls != letters) Add(for_urls);
    }
  }
  std::ranges::sort(entries_, {}, &Entry::hash);
  if (entries_.empty()) return;
  const size_t bits = std::bit_ceil(entries_.size() * kBitsPerEntry);
  seen_shift_ = 64 - std::countr_zero(bits);
  seen_.resize(bits);
  for (const Entry& entry : entries_) seen_[entry.hash >> seen_shift_] = true;
}

void TokenSearch::Add(std::string_view needle) {
  entries_.push_back({Hash(needle.data() + needle.size() - kWindow), needles_.size()});
  needles_.emplace_back(std::string(needle));
}

// Multiplied and folded: not linear, so that what collides with a token says nothing about it.
uint64_t TokenSearch::Hash(const char* window) const {
  uint64_t word = 0;
  std::memcpy(&word, window, kWindow);
  const Uint128 product = Uint128{word ^ key_[0]} * key_[1];
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

bool TokenSearch::FoundIn(std::string_view text) const {
  if (entries_.empty()) return false;
  if (FoundAsItStands(text)) return true;
  if (text.find('%') == std::string_view::npos) return false;
  // An address within an address is encoded twice.
  std::string decoded = http::PercentDecoded(text);
  for (int times = 1; !FoundAsItStands(decoded); ++times) {
    if (times == kDecodedTimes || decoded.find('%') == std::string::npos) return false;
    decoded = http::PercentDecoded(decoded);
  }
  return true;
}

bool TokenSearch::FoundAsItStands(std::string_view text) const {
  for (size_t end = kWindow; end <= text.size(); ++end) {
    const uint64_t hash = Hash(text.data() + end - kWindow);
    if (seen_[hash >> seen_shift_] && EndsAt(text.substr(0, end), hash)) return true;
  }
  return false;
}

bool TokenSearch::EndsAt(std::string_view text_until_here, uint64_t hash) const {
  bool found = false;
  for (const Entry& entry : std::ranges::equal_range(entries_, hash, {}, &Entry::hash)) {
    const Secret& needle = needles_[entry.needle];
    const size_t size = needle.Reveal().size();
    if (size > text_until_here.size()) continue;
    found = needle.Equals(text_until_here.substr(text_until_here.size() - size)) || found;
  }
  return found;
}

}  // namespace apiquota::apis
