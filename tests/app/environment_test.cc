#include "app/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace apiquota::app {
namespace {

TEST(EnvironmentTest, ProxyVariablesAreNamedWithoutTheirValues) {
  constexpr const char* kAll[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY",
                                  "http_proxy",  "ALL_PROXY",   "all_proxy"};
  for (const char* name : kAll) unsetenv(name);
  EXPECT_EQ(ProxyVariables(), "");
  setenv("HTTP_PROXY", "", 1);
  EXPECT_EQ(ProxyVariables(), "") << "empty means none, as everywhere";
  setenv("all_proxy", "socks5://10.0.0.1", 1);
  setenv("HTTPS_PROXY", "http://user:secret@10.0.0.1:3128", 1);
  EXPECT_EQ(ProxyVariables(), "HTTPS_PROXY, all_proxy");
  for (const char* name : kAll) unsetenv(name);
}

}  // namespace
}  // namespace apiquota::app
