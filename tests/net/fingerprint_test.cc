#include "net/fingerprint.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace apiquota::net {
namespace {

class SaltFileTest : public testing::Test {
 protected:
  SaltFileTest() : directory_(testing::TempDir() + "salt-XXXXXX") {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/key-salt";
  }
  ~SaltFileTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text, mode_t mode) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }

  std::string directory_;
  std::string path_;
};

TEST(FingerprinterTest, NamesAreTheFirstEightDigitsOfTheKeyedHash) {
  // printf sk-test | openssl dgst -sha256 -hmac 0123456789abcdef
  const Fingerprinter fingerprinter(Secret("0123456789abcdef"));
  EXPECT_EQ(fingerprinter.Of("sk-test"), "hmac:fa9e1d36");
  EXPECT_EQ(fingerprinter.Of(""), "anonymous");
}

TEST(FingerprinterTest, AnotherSaltGivesAnotherName) {
  EXPECT_NE(Fingerprinter(RandomSalt()).Of("sk-test"), Fingerprinter(RandomSalt()).Of("sk-test"));
}

TEST_F(SaltFileTest, IsCreatedOnceReadableByItsOwnerAlone) {
  const auto created = LoadOrCreateSalt(path_);
  ASSERT_TRUE(created) << created.error().message;
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(created->Reveal().size(), 64U);
  const auto loaded = LoadOrCreateSalt(path_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->Reveal(), created->Reveal());
}

TEST_F(SaltFileTest, AnOperatorsOwnSaltMayEndInANewline) {
  Write("an operator's salt\n", 0600);
  EXPECT_EQ(LoadOrCreateSalt(path_)->Reveal(), "an operator's salt");
}

TEST_F(SaltFileTest, ComplaintsSayWhatIsWrongInOneSentence) {
  const auto complaint = [this] {
    const auto salt = LoadOrCreateSalt(path_);
    return salt ? "" : salt.error().message;
  };
  Write("a salt that everybody knows", 0644);
  EXPECT_EQ(complaint(), "the key salt can be read by others; expected mode 0600 (chmod 600)");
  Write("short", 0600);
  EXPECT_EQ(complaint(), "the key salt is shorter than 16 bytes");
  path_ = directory_;
  EXPECT_EQ(complaint(), "the key salt must be a regular file");
  path_ = directory_ + "/none/key-salt";
  EXPECT_EQ(complaint(), "the key salt can't be created: No such file or directory");
}

}  // namespace
}  // namespace apiquota::net
