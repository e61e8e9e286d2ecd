#include "app/catalogue.h"

#include <gtest/gtest.h>

#include "tests/base/temporary_directory.h"

namespace apiquota::app {
namespace {

TEST(CatalogueTest, EachCardSaysWhatItsFileSays) {
  const auto listed = LoadCatalogue("");
  const auto read = provider::Catalogue::Embedded();
  ASSERT_TRUE(listed.has_value() && read.has_value());
  ASSERT_EQ(listed->Cards().size(), read->All().size());
  for (const provider::ExporterCard* card : listed->Cards()) {
    ASSERT_NE(read->Find(card->name), nullptr) << card->name;
    EXPECT_EQ(*card, CardOf(*read->Find(card->name))) << card->name;
    ASSERT_NE(listed->Find(card->name), nullptr) << card->name;
    EXPECT_EQ(*card, CardOf(*listed->Find(card->name))) << card->name;
  }
}

TEST(CatalogueTest, AFileIsReadOnceForAllWhoNeedIt) {
  EXPECT_EQ(LoadCatalogue("")->Find("github"), LoadCatalogue("")->Find("github"));
}

TEST(CatalogueTest, AFileOfTheFolderTakesThePlaceOfTheEmbeddedOne) {
  const TemporaryDirectory folder;
  folder.Write("mine.yaml", "name: github\ntitle: Mine\nhosts: [git.example]\n");
  const auto catalogue = LoadCatalogue(folder.path());
  ASSERT_TRUE(catalogue.has_value()) << catalogue.error().message;
  EXPECT_EQ(Info(*catalogue->Find("github")).title, "Mine");
  EXPECT_EQ(Info(*catalogue->Detect("git.example", {})).title, "Mine");
  EXPECT_EQ(Info(*catalogue->Detect("api.github.com", {})).name, "generic");
  EXPECT_EQ(Info(*LoadCatalogue("")->Find("github")).title, "GitHub");
}

TEST(CatalogueTest, ABrokenFileOfTheFolderIsAnErrorEvenIfNobodyNeedsIt) {
  const TemporaryDirectory folder;
  const std::string file = folder.Write("mine.yaml", "name: mine\ntitle: Mine\nhots: []\n");
  const auto catalogue = LoadCatalogue(folder.path());
  ASSERT_FALSE(catalogue.has_value());
  EXPECT_EQ(catalogue.error().message, file + ":3:1: unknown key \"hots\"; did you mean \"hosts\"?");
  EXPECT_EQ(LoadExporterNamed("github", folder.path()).error().message, catalogue.error().message);
}

}  // namespace
}  // namespace apiquota::app
