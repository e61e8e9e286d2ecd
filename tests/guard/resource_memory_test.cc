#include "guard/resource_memory.h"

#include <gtest/gtest.h>

namespace apiquota::guard {
namespace {

std::string Route(size_t number) { return "GET /route-" + std::to_string(number); }

TEST(ResourceMemoryTest, TheNewestAnswerIsBelieved) {
  ResourceMemory memory;
  EXPECT_EQ(memory.Find("GET /search/code"), nullptr);
  memory.Learn("GET /search/code", "search");
  memory.Learn("GET /search/code", "code_search");
  ASSERT_NE(memory.Find("GET /search/code"), nullptr);
  EXPECT_EQ(*memory.Find("GET /search/code"), "code_search");
  EXPECT_EQ(memory.Find("POST /search/code"), nullptr);
}

TEST(ResourceMemoryTest, AnAnswerThatNamesNothingWipesNothing) {
  ResourceMemory memory;
  memory.Learn("GET /user", "core");
  memory.Learn("GET /user", "");
  memory.Learn("", "core");
  EXPECT_EQ(*memory.Find("GET /user"), "core");
  EXPECT_EQ(memory.size(), 1U);
}

TEST(ResourceMemoryTest, EndlessRoutesNeitherFillTheMemoryNorPushOutOneInUse) {
  ResourceMemory memory;
  for (size_t i = 0; i < 5000; ++i) {
    memory.Learn(Route(i), "core");
    memory.Learn("GET /user", "core");
    ASSERT_LE(memory.size(), ResourceMemory::kMostRoutes);
  }
  EXPECT_NE(memory.Find("GET /user"), nullptr);
  EXPECT_NE(memory.Find(Route(4999)), nullptr);
  EXPECT_NE(memory.Find(Route(5000 - 255)), nullptr);
  EXPECT_EQ(memory.Find(Route(5000 - 256)), nullptr);
}

}  // namespace
}  // namespace apiquota::guard
