#include "cli/redact_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace apiquota::cli {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }
bool IsVowel(char c) { return std::string_view("aeiouyAEIOUY").find(c) != std::string_view::npos; }

// A part of a camel's name, or a word of its own: letters that can be spoken, or an abbreviation.
bool IsSpoken(std::string_view word) {
  constexpr size_t kLongest = 20;
  constexpr int kConsonantsMax = 6;
  constexpr size_t kAbbreviationMax = 6;
  int consonants = 0;
  for (const char c : word) {
    consonants = IsVowel(c) ? 0 : consonants + 1;
    if (consonants > kConsonantsMax) return false;
  }
  const bool vowel = std::ranges::any_of(word, IsVowel);
  return word.size() <= kLongest && (vowel || word.size() <= kAbbreviationMax);
}

// Letters that people might have written: "requests", "RequestsPerMinute", "TPM". Capitals strewn about are
// none.
bool IsWord(std::string_view letters) {
  constexpr size_t kLongest = 64;
  constexpr size_t kLettersAHump = 3;
  size_t humps = 1;
  size_t begin = 0;
  for (size_t i = 1; i <= letters.size(); ++i) {
    const bool ends = i == letters.size() || (IsUpper(letters[i]) && !IsUpper(letters[i - 1]));
    if (!ends) continue;
    if (!IsSpoken(letters.substr(begin, i - begin))) return false;
    if (i < letters.size()) ++humps;
    begin = i;
  }
  return letters.size() <= kLongest && (humps <= 2 || letters.size() >= humps * kLettersAHump);
}

// "1h30m", "20ms": numbers and units in turn.
bool IsSpan(std::string_view piece) {
  constexpr size_t kLongest = 12;
  if (piece.empty() || piece.size() > kLongest || !IsDigit(piece.front()) || IsDigit(piece.back()))
    return false;
  size_t letters = 0;
  size_t digits = 0;
  for (const char c : piece) {
    if (!IsDigit(c) && std::string_view("hmsdwnu").find(c) == std::string_view::npos) return false;
    letters = IsDigit(c) ? 0 : letters + 1;
    digits = IsDigit(c) ? digits + 1 : 0;
    if (letters > 2 || digits > 4) return false;
  }
  return true;
}

// "01T10": the day and the hour of an RFC 3339 time.
bool IsDayAndHour(std::string_view piece) {
  return piece.size() == 5 && piece[2] == 'T' && std::ranges::count_if(piece, IsDigit) == 4;
}

// "v1", "v1beta1"
bool IsVersion(std::string_view piece) {
  constexpr size_t kNumberMax = 3;
  if (!piece.starts_with('v')) return false;
  piece.remove_prefix(1);
  const auto number = [&] {
    const size_t size = std::min(piece.find_first_not_of("0123456789"), piece.size());
    piece.remove_prefix(size);
    return size;
  };
  if (const size_t digits = number(); digits == 0 || digits > kNumberMax) return false;
  for (const std::string_view stage : {"alpha", "beta"}) {
    if (!piece.starts_with(stage)) continue;
    piece.remove_prefix(stage.size());
    if (number() > 2) return false;
  }
  return piece.empty();
}

// Of letters and digits alone.
bool IsHarmless(std::string_view piece, size_t digits_max) {
  constexpr size_t kMixedMax = 4;
  constexpr size_t kShortMax = 6;
  constexpr size_t kNumberMax = 4;
  constexpr size_t kBesideMin = 5;
  const auto digits = static_cast<size_t>(std::ranges::count_if(piece, IsDigit));
  if (digits == piece.size()) return digits <= digits_max;
  if (digits == 0) return IsWord(piece);
  if (piece.size() <= kMixedMax || IsSpan(piece) || IsDayAndHour(piece)) return true;
  // "davinci003", "24hours", "RequestsPer100Seconds": one short number beside words.
  const size_t first = piece.find_first_of("0123456789");
  const std::string_view before = piece.substr(0, first);
  const std::string_view after = piece.substr(std::min(first + digits, piece.size()));
  const bool one = std::ranges::all_of(piece.substr(first, digits), IsDigit);
  const bool long_words =
      before.empty() || after.empty() || std::min(before.size(), after.size()) >= kBesideMin;
  if (one && piece.size() <= kShortMax) return true;
  return one && digits <= kNumberMax && long_words && IsWord(before) && IsWord(after);
}

// How some credentials begin.
bool BeginsLikeCredential(std::string_view compound) {
  constexpr std::array<std::string_view, 14> kBegins = {"sk-",    "sk_",   "pk_",   "rk_",  "ghp_",
                                                        "gho_",   "ghu_",  "ghs_",  "ghr_", "github_pat_",
                                                        "glpat-", "xoxb-", "xoxp-", "AKIA"};
  return std::ranges::any_of(kBegins, [&](auto begin) { return compound.starts_with(begin); });
}

bool IsPart(char c) { return IsDigit(c) || IsLetter(c); }
bool IsCompound(char c) { return IsPart(c) || c == '-' || c == '_' || c == '.' || c == '+'; }

// A run of letters, digits and what ties them together.
bool CompoundIsHarmless(std::string_view compound, size_t digits_max) {
  while (!compound.empty()) {
    if (BeginsLikeCredential(compound)) return false;
    const auto* end = std::ranges::find_if_not(compound, IsPart);
    const auto size = static_cast<size_t>(end - compound.begin());
    if (!IsHarmless(compound.substr(0, size), digits_max)) return false;
    const bool escape = compound.substr(size).starts_with('%');  // "%3A"
    compound.remove_prefix(std::min(size + (escape ? 3 : 1), compound.size()));
  }
  return true;
}

// Where the run of what an e-mail address is made of begins or ends around its "@".
bool IsOfAddress(char c) { return IsCompound(c) || c == '%' || c == '@'; }

}  // namespace

std::string WithoutIdentifiers(std::string_view text, size_t digits_max) {
  std::string out;
  while (!text.empty()) {
    const auto take = [&](auto belongs) {
      const auto* end = std::ranges::find_if_not(text, belongs);
      const std::string_view run = text.substr(0, static_cast<size_t>(end - text.begin()));
      text.remove_prefix(run.size());
      return run;
    };
    if (!IsOfAddress(text.front())) {
      const char c = text.front();
      out += c < 0x20 || c > 0x7e ? '?' : c;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view run = take(IsOfAddress);
    // "jo@example.com"; "@type" is none.
    const size_t at = run.find_last_of('@');
    const bool address =
        at != std::string_view::npos && at > 0 && run.find('.', at) != std::string_view::npos;
    if (address || !CompoundIsHarmless(run, digits_max)) {
      out += kRedacted;
    } else {
      out += run;
    }
  }
  return out;
}

bool ShowsNoIdentifier(std::string_view text, size_t digits_max) {
  return WithoutIdentifiers(text, digits_max) == text;
}

bool IsPlainName(std::string_view text) {
  return std::ranges::none_of(text, IsDigit) && ShowsNoIdentifier(text, 0);
}

bool NamesAnEndpoint(std::string_view segment) {
  constexpr size_t kNumberMax = 4;
  if (segment.find('@') != std::string_view::npos) return false;
  while (!segment.empty()) {
    const auto* end = std::ranges::find_if_not(segment, IsPart);
    const std::string_view piece = segment.substr(0, static_cast<size_t>(end - segment.begin()));
    const auto digits = static_cast<size_t>(std::ranges::count_if(piece, IsDigit));
    const bool numbered = digits == 1 && IsDigit(piece.back());  // "oauth2"
    const bool plain = digits == 0 || digits == piece.size() || numbered;
    if (!IsVersion(piece) && !(plain && ShowsNoIdentifier(piece, kNumberMax))) return false;
    segment.remove_prefix(std::min(piece.size() + 1, segment.size()));
  }
  return true;
}

bool LooksLikeCode(std::string_view text) {
  constexpr size_t kLongest = 64;
  const auto fits = [](char c) { return IsLetter(c) || c == '_' || c == '-' || c == '.' || c == ':'; };
  return !text.empty() && text.size() <= kLongest && IsLetter(text.front()) &&
         std::ranges::all_of(text, fits) && ShowsNoIdentifier(text, 0);
}

}  // namespace apiquota::cli
