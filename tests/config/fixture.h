// What the loader's tests share: a context with four exporters, and tests/config/testdata as the working
// directory.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "config/config.h"
#include "tests/source_dir.h"

namespace apiquota::config {

inline LoadContext Context() {
  LoadContext context;
  context.exporters = {"anthropic", "azure-openai", "github", "mapbox", "openai"};
  context.exporters_with_base_url = {"anthropic", "github", "mapbox", "openai"};
  context.exporters_with_credential = {"anthropic", "azure-openai", "github", "openai"};
  context.exporters_with_poll = {"anthropic", "github", "openai"};
  context.check_base_url = [](std::string_view url) -> Status {
    if (url.starts_with("https://") || url.starts_with("http://")) return {};
    return Fail("base URL: expected http:// or https://");
  };
  return context;
}

// Files are read from tests/config/testdata, under the names an operator there would type.
class LoadConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(SourceDir() + "/tests/config/testdata");
    setenv("OPENAI_API_KEY", "sk-from-env", 1);
    setenv("SECOND_KEY", "sk-second", 1);
    setenv("CALLER_TOKEN", "caller token", 1);
    setenv("SHORT_TOKEN", "tok-123", 1);
    setenv("EMPTY_VARIABLE", "", 1);
    setenv("TWO_LINES", "one\ntwo", 1);
    unsetenv("NO_SUCH_VARIABLE");
  }
  void TearDown() override { std::filesystem::current_path(before_); }

  // "" if the file loads.
  static std::string Complaint(const std::string& file) {
    const Result<Config> config = LoadConfigFile(file, Context());
    return config ? "" : config.error().message;
  }

 private:
  std::filesystem::path before_;
};

}  // namespace apiquota::config
