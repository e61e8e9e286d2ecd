// Whole texts kept in tests/golden. With APIQUOTA_GOLDEN=write in the environment they are written anew.
// Header only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/source_dir.h"

namespace apiquota::expose {

inline std::string GoldenPath(const std::string& name) { return SourceDir() + "/tests/golden/" + name; }

inline std::string GoldenText(const std::string& name) {
  std::ifstream file(GoldenPath(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline testing::AssertionResult IsGolden(const std::string& name, const std::string& text) {
  const char* mode = std::getenv("APIQUOTA_GOLDEN");
  if (mode != nullptr && std::string(mode) == "write")
    std::ofstream(GoldenPath(name), std::ios::binary) << text;
  if (text == GoldenText(name)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "not tests/golden/" << name << ":\n" << text;
}

}  // namespace apiquota::expose
