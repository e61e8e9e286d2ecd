#include "cli/check_config.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/base/temporary_directory.h"

namespace apiquota::cli {
namespace {

TEST(CheckConfigTest, EveryFileHasItsLine) {
  const TemporaryDirectory directory;
  const std::string good = directory.Write("good.yaml", "apis:\n  - {name: a, exporter: openai}\n");
  const std::string plain = directory.Write("plain.yaml", "proxy: {loops: 1}\n");
  const std::string bad = directory.Write("bad.yaml", "apis:\n  - {name: a, exporter: opnai}\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheckConfig({good, bad, plain}, "", out, err), 2);
  EXPECT_EQ(out.str(),
            good + ": good; apis: 1, callers: 0\n" + plain + ": good; apis: the default ones, callers: 0\n");
  EXPECT_EQ(err.str(), bad + ":2:25: unknown exporter; did you mean \"openai\"?\n");
  EXPECT_EQ(RunCheckConfig({good, plain}, "", out, err), 0);
}

TEST(CheckConfigTest, OneOfSeveralFilesThatCantBeReadIsToldByItsPlace) {
  const TemporaryDirectory directory;
  const std::string good = directory.Write("good.yaml", "{}");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheckConfig({good, good + "x"}, "", out, err), 2);
  EXPECT_EQ(err.str(), "cannot read FILE 2: No such file or directory\n");
}

}  // namespace
}  // namespace apiquota::cli
