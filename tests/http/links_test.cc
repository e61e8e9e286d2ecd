#include "http/links.h"

#include <gtest/gtest.h>

namespace apiquota::http {
namespace {

const BaseUrl kRoot = *ParseBaseUrl("https://api.example");
const BaseUrl kDeep = *ParseBaseUrl("https://api.example/base/v1");
const BaseUrl kPlain = *ParseBaseUrl("http://[::1]:8080");

LinkMapping Mapping(const BaseUrl& base, std::string_view prefix = "/r") {
  return {.base = &base, .prefix = prefix, .scheme = "http", .host = "localhost:4290", .more = {}};
}

std::string Mapped(std::string_view reference, const LinkMapping& mapping) {
  return MapAddress(reference, mapping).value_or("stays");
}

TEST(MapAddressTest, AnAbsolutePathGetsTheRoutesPrefix) {
  const LinkMapping root = Mapping(kRoot);
  EXPECT_EQ(Mapped("/x?page=2#f", root), "/r/x?page=2#f");
  EXPECT_EQ(Mapped("/", root), "/r/");
  EXPECT_EQ(Mapped("/a%2Fb//c", root), "/r/a%2Fb//c");
  EXPECT_EQ(Mapped("/\\evil.example", root), "stays");
  EXPECT_EQ(Mapped("/../x", root), "stays") << "it would leave the route";
}

TEST(MapAddressTest, TheBasePathIsTakenOffAndOtherPathsStay) {
  const LinkMapping deep = Mapping(kDeep);
  EXPECT_EQ(Mapped("/base/v1/x", deep), "/r/x");
  EXPECT_EQ(Mapped("/base/v1", deep), "/r");
  EXPECT_EQ(Mapped("/base/v1?q", deep), "/r?q");
  EXPECT_EQ(Mapped("/base/v1#f", deep), "/r#f");
  for (const char* other :
       {"/x", "/base", "/base/v12/x", "/base/v1/../../x", "/base/v1/%2e%2e/x", "/BASE/v1/x"}) {
    EXPECT_EQ(Mapped(other, deep), "stays") << other;
  }
  EXPECT_EQ(Mapped("https://api.example/base/v1/x", deep), "http://localhost:4290/r/x");
  EXPECT_EQ(Mapped("https://api.example/other/x", deep), "stays");
  EXPECT_EQ(Mapped("https://api.example", deep), "stays");
}

TEST(MapAddressTest, WhatBeginsWithTheBaseUrlIsMappedToTheAgent) {
  const LinkMapping root = Mapping(kRoot);
  EXPECT_EQ(Mapped("https://api.example/x?a=b#f", root), "http://localhost:4290/r/x?a=b#f");
  EXPECT_EQ(Mapped("HTTPS://API.Example:443/x", root), "http://localhost:4290/r/x");
  EXPECT_EQ(Mapped("https://api.example", root), "http://localhost:4290/r");
  EXPECT_EQ(Mapped("https://api.example?q", root), "http://localhost:4290/r?q");
  EXPECT_EQ(Mapped("https://api.example#f", root), "http://localhost:4290/r#f");
  EXPECT_EQ(Mapped("http://[::1]:8080/x", Mapping(kPlain)), "http://localhost:4290/r/x");
  LinkMapping tls = root;
  tls.scheme = "https";
  EXPECT_EQ(Mapped("https://api.example/x", tls), "https://localhost:4290/r/x");
}

TEST(MapAddressTest, AnInjectedKeyThatTheApiRepeatsIsLeftOut) {
  LinkMapping mapping = Mapping(kRoot);
  mapping.withheld = "a+b";
  EXPECT_EQ(Mapped("https://api.example/x?page=2&appid=a%2Bb", mapping), "http://localhost:4290/r/x?page=2");
  EXPECT_EQ(Mapped("https://other.example/x?appid=a%2bb#f", mapping), "https://other.example/x#f");
  EXPECT_EQ(Mapped("?page=2&appid=a+b", mapping), "?page=2");
  EXPECT_EQ(Mapped("https://other.example/x?appid=c", mapping), "stays");
  EXPECT_EQ(MapLinks("<https://api.example/x?appid=a%2Bb>; rel=next", mapping),
            "<http://localhost:4290/r/x>; rel=next");
  mapping.base = nullptr;  // addresses are not led back
  EXPECT_EQ(Mapped("https://api.example/x?page=2&appid=a%2Bb", mapping), "https://api.example/x?page=2");
  EXPECT_EQ(Mapped("/x?page=2", mapping), "stays");
}

TEST(MapAddressTest, AnInjectedKeyIsLeftOutOfAddressesWithinAddresses) {
  LinkMapping mapping = Mapping(kRoot);
  mapping.withheld = "key+/0123456789";
  for (const char* holds : {"appid=key%2B%2f0123456789", "next=%2Fx%3Fappid%3Dkey%252B%252F0123456789",
                            "k=Bearer%20key+/0123456789", "next=/x?appid=key%2B/0123456789",
                            "key%2B%2F0123456789", "%6bey%2B%2F0123456789=1"}) {
    EXPECT_EQ(Mapped("/x?a=b&" + std::string(holds), mapping), "/r/x?a=b") << holds;
  }
  for (const char* shown :
       {"/x#appid=key%2B%2F0123456789", "/key%2B%2F0123456789/x", "0; url=/x?k=key+/0123456789",
        "http://u:key%2B%2F0123456789@h/", "u=key%252B%252F0123456789"}) {
    EXPECT_TRUE(ShowsWithheld(shown, mapping)) << shown;
  }
  EXPECT_FALSE(ShowsWithheld("key%2B%2F012345678", mapping));
  mapping.withheld = "a+b";
  EXPECT_FALSE(ShowsWithheld("a+b", mapping)) << "a word that stands anywhere";
  mapping.withheld = {};
  EXPECT_FALSE(ShowsWithheld("", mapping));
}

TEST(MapAddressTest, OtherOriginsStay) {
  for (const char* other :
       {"http://api.example/x", "https://api.example:444/x", "https://api.example.evil/x", "https://evil/x",
        "https://api.example@evil/x", "https://user@api.example/x", "https://api.example:x/", "https://",
        "https:///x", "https://api.example\\@evil/x", "https:/api.example/x", "mailto:a@api.example",
        "urn:x:/y", ""}) {
    EXPECT_EQ(Mapped(other, Mapping(kRoot)), "stays") << other;
  }
}

TEST(MapAddressTest, PathRelativeReferencesStay) {
  for (const char* relative : {"x", "../x", "./x", "?page=2", "#f", "x/y:z"}) {
    EXPECT_EQ(Mapped(relative, Mapping(kRoot)), "stays") << relative;
  }
}

TEST(MapAddressTest, AReferenceWithoutASchemeKeepsTheUpstreams) {
  EXPECT_EQ(Mapped("//api.example/x", Mapping(kRoot)), "http://localhost:4290/r/x");
  EXPECT_EQ(Mapped("//evil/x", Mapping(kRoot)), "https://evil/x") << "not over plain HTTP now";
  EXPECT_EQ(Mapped("//evil/x", Mapping(kPlain)), "stays");
}

TEST(MapAddressTest, ARouteOfAllPathsNeverMakesAHostOfAPath) {
  const LinkMapping all = Mapping(kDeep, "/");
  EXPECT_EQ(Mapped("/base/v1/x", all), "/x");
  EXPECT_EQ(Mapped("/base/v1", all), "/");
  EXPECT_EQ(Mapped("/base/v1?q", all), "/?q");
  EXPECT_EQ(Mapped("/base/v1//evil/x", all), "stays");
  EXPECT_EQ(Mapped("https://api.example/base/v1//x", all), "http://localhost:4290//x");
  LinkMapping hostless = all;
  hostless.host = {};
  EXPECT_EQ(Mapped("https://api.example/base/v1//evil", hostless), "stays");
  EXPECT_EQ(Mapped("https://api.example/base/v1?q", hostless), "/?q");
  EXPECT_EQ(Mapped("/x", Mapping(kRoot, "/")), "stays");
}

TEST(MapLinksTest, EachTargetIsMappedAndNothingElse) {
  const LinkMapping root = Mapping(kRoot);
  EXPECT_EQ(
      MapLinks("<https://api.example/u?page=2>; rel=\"next\", <https://api.example/u?page=9>; rel=\"last\"",
               root),
      "<http://localhost:4290/r/u?page=2>; rel=\"next\", <http://localhost:4290/r/u?page=9>; rel=\"last\"");
  EXPECT_EQ(MapLinks("</x,y;z>;rel=next;title=\"a, </b>; \\\" </c>\" ,<https://o/x>, </d>", root),
            "</r/x,y;z>;rel=next;title=\"a, </b>; \\\" </c>\" ,<https://o/x>, </r/d>");
  EXPECT_EQ(MapLinks("</a>; anchor=\"/b\"", root), "</r/a>; anchor=\"/b\"");
  EXPECT_EQ(MapLinks(" , <?page=2>; rel=next", root), std::nullopt);
  EXPECT_EQ(MapLinks("</a>, /b, </c>", root), "</r/a>, /b, </c>") << "no list from there on";
  for (const char* text : {"", "</a", "/a; rel=next", "<>", ", ,", "\"</a>\""}) {
    EXPECT_EQ(MapLinks(text, root), std::nullopt) << text;
  }
}

TEST(LinkFieldOfTest, NamesTheFieldsThatHoldAddresses) {
  const std::string more[] = {"x-goog-upload-url"};
  LinkMapping mapping = Mapping(kRoot);
  EXPECT_EQ(LinkFieldOf("X-Goog-Upload-URL", mapping), LinkField::kNone);
  mapping.more = more;
  EXPECT_EQ(LinkFieldOf("X-Goog-Upload-URL", mapping), LinkField::kAddress);
  EXPECT_EQ(LinkFieldOf("LOCATION", mapping), LinkField::kAddress);
  EXPECT_EQ(LinkFieldOf("content-location", mapping), LinkField::kAddress);
  EXPECT_EQ(LinkFieldOf("Link", mapping), LinkField::kLink);
  EXPECT_EQ(LinkFieldOf("Refresh", mapping), LinkField::kNone);
}

}  // namespace
}  // namespace apiquota::http
