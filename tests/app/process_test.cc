#include "app/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace apiquota::app {
namespace {

TEST(ProcessDeathTest, NothingOpenedLaterGetsTheNumberOfAClosedStandardStream) {
  const auto open_after_closing_all = [] {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(fd);
    KeepStandardStreams();
    std::_Exit(open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 1);
  };
  EXPECT_EXIT(open_after_closing_all(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace apiquota::app
