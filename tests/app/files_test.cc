#include "app/files.h"

#include "tests/base/temporary_directory.h"

namespace apiquota::app {
namespace {

using std::filesystem::perms;

TEST(FilesTest, WhatIsWrittenIsReadBack) {
  const TemporaryDirectory directory;
  const std::string text = std::string("one\0two", 7) + std::string(200'000, 'x');
  ASSERT_TRUE(WriteFileAtomically(directory / "f", text));
  EXPECT_EQ(ReadWholeFile(directory / "f"), text);
  EXPECT_EQ(std::filesystem::status(directory / "f").permissions(), perms::owner_read | perms::owner_write);
}

TEST(FilesTest, WritingReplacesAndLeavesNothingBeside) {
  const TemporaryDirectory directory;
  directory.Write("f", "an older and longer text");
  ASSERT_TRUE(WriteFileAtomically(directory / "f", "new"));
  EXPECT_EQ(directory.Read("f"), "new");
  EXPECT_EQ(directory.Count(), 1u);
}

TEST(FilesTest, AFailedWriteKeepsTheOldFile) {
  const TemporaryDirectory directory;
  directory.Write("f", "old");
  std::filesystem::create_directory(directory / "f.tmp");
  const Status written = WriteFileAtomically(directory / "f", "new");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot write the file: Is a directory");
  EXPECT_EQ(directory.Read("f"), "old");
}

TEST(FilesTest, ASymbolicLinkInTheWayIsNotFollowed) {
  const TemporaryDirectory directory;
  directory.Write("victim", "untouched");
  std::filesystem::create_symlink(directory / "victim", directory / "f.tmp");
  EXPECT_FALSE(WriteFileAtomically(directory / "f", "new"));
  EXPECT_EQ(directory.Read("victim"), "untouched");
}

TEST(FilesTest, ErrorsNameThePathAndTheReason) {
  const TemporaryDirectory directory;
  EXPECT_EQ(ReadWholeFile(directory / "none").error().message,
            "cannot read the file: No such file or directory");
  EXPECT_EQ(ReadWholeFile(directory.path()).error().message, "cannot read the file: Is a directory");
  EXPECT_EQ(WriteFileAtomically(directory / "no/f", "").error().message,
            "cannot write the file: No such file or directory");
}

}  // namespace
}  // namespace apiquota::app
