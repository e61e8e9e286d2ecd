#include "provider/grammar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace apiquota::provider {
namespace {

bool NamesAPlace(Shape shape) {
  return shape == Shape::kPlace || shape == Shape::kPlaces || shape == Shape::kPlaceList ||
         shape == Shape::kPlaceMap || shape == Shape::kTokenCounts;
}

TEST(GrammarTest, EveryKeyIsThereOnceAndSaysWhatItMeans) {
  std::set<std::string_view> places;
  for (const GrammarPlace& place : Grammar()) {
    EXPECT_TRUE(places.insert(place.name).second) << place.name;
    EXPECT_FALSE(place.meaning.empty()) << place.name;
    std::set<std::string_view> keys;
    for (const GrammarKey& key : place.keys) {
      EXPECT_TRUE(keys.insert(key.name).second) << place.name << "." << key.name;
      EXPECT_FALSE(key.meaning.empty()) << place.name << "." << key.name;
    }
    for (const std::string_view one : place.one_of)
      EXPECT_TRUE(keys.contains(one)) << place.name << "." << one;
  }
}

TEST(GrammarTest, WhatAKeyRefersToIsThere) {
  for (const GrammarPlace& place : Grammar()) {
    for (const GrammarKey& key : place.keys) {
      if (NamesAPlace(key.shape)) {
        EXPECT_EQ(PlaceNamed(key.of).name, key.of) << place.name << "." << key.name;
      }
      const bool words =
          key.shape == Shape::kWord || key.shape == Shape::kWords || key.shape == Shape::kWordMap;
      if (words && key.of != "star") {
        EXPECT_GT(WordsNamed(key.of).size(), 1u) << place.name << "." << key.name;
      }
    }
  }
}

TEST(GrammarTest, UnitsAreThereOnce) {
  const auto units = WordsNamed("units");
  EXPECT_EQ(std::set<std::string_view>(units.begin(), units.end()).size(), units.size());
  EXPECT_TRUE(std::ranges::none_of(units, &std::string_view::empty));
}

}  // namespace
}  // namespace apiquota::provider
