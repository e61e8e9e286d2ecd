#include "apis/token_search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace apiquota::apis {
namespace {

constexpr std::string_view kToken =
    "tok-~nightly?>~/9";  // its base64 has letters that differ between alphabets

// RFC 4648, written here once more, plainly.
std::string Base64(std::string_view text, bool for_urls) {
  const std::string letters = std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") +
                              (for_urls ? "-_" : "+/");
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out.push_back(letters[bits >> (count - 6) & 63]);
  }
  if (count > 0) out.push_back(letters[bits << (6 - count) & 63]);
  while (!for_urls && out.size() % 4 != 0) out.push_back('=');
  return out;
}

std::string Percent(std::string_view text, bool upper) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += upper ? fmt::format("%{:02X}", byte) : fmt::format("%{:02x}", byte);
  }
  return out;
}

TEST(TokenSearchTest, FindsATokenWhereverItStands) {
  const TokenSearch search({"another-token-1", kToken});
  for (const std::string before : {"", "x", "Bearer ", "user:", "a=1&key="}) {
    for (const std::string after : {"", ":", "&b=2", "zz"}) {
      EXPECT_TRUE(search.FoundIn(before + std::string(kToken) + after)) << before << after;
      EXPECT_TRUE(search.FoundIn(before + Percent(kToken, true) + after)) << before << after;
      EXPECT_TRUE(search.FoundIn(before + Percent(Percent(kToken, true), true) + after)) << "encoded twice";
      EXPECT_TRUE(search.FoundIn(before + Percent(kToken, false).substr(0, 9) +
                                 std::string(kToken.substr(3)) + after));
      for (const bool for_urls : {false, true}) {
        EXPECT_TRUE(search.FoundIn("Basic " + Base64(before + std::string(kToken) + after, for_urls)))
            << before << after;
        EXPECT_TRUE(search.FoundIn(Percent(Base64(before + std::string(kToken) + after, for_urls), true)));
      }
    }
  }
  EXPECT_TRUE(search.FoundIn("another-token-1"));
}

TEST(TokenSearchTest, PassesOverWhatIsNoToken) {
  const TokenSearch search({kToken});
  std::string without_end(kToken);
  without_end.pop_back();
  std::string other_letter(kToken);
  other_letter[0] = 'T';
  for (const std::string& text :
       {std::string(), std::string("tok"), without_end, other_letter, "%" + without_end, without_end + "%",
        without_end + "%3", without_end + "%zz", Base64("tok-", false), std::string(64 * 1024, 'a')}) {
    EXPECT_FALSE(search.FoundIn(text)) << text.substr(0, 40);
  }
}

TEST(TokenSearchTest, WithoutTokensOrWithTooShortOnesNothingIsFound) {
  EXPECT_FALSE(TokenSearch().FoundIn("anything at all"));
  EXPECT_FALSE(TokenSearch({""}).FoundIn("anything at all"));
  EXPECT_FALSE(TokenSearch({"seven77"}).FoundIn("seven77 seven77"));
  EXPECT_TRUE(TokenSearch({"eight888"}).FoundIn("seven77eight888"));
}

TEST(TokenSearchTest, TokensThatEndAlikeAreToldApart) {
  const TokenSearch search({"first--same-end", "second-same-end"});
  EXPECT_TRUE(search.FoundIn("x first--same-end"));
  EXPECT_TRUE(search.FoundIn("x second-same-end"));
  EXPECT_FALSE(search.FoundIn("x third--same-end"));
}

}  // namespace
}  // namespace apiquota::apis
