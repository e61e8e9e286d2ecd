// What survives a restart: state.file and the key salt.
#include <cstdlib>

#include "app/state_directory.h"
#include "app/state_file.h"
#include "quota/ledger.h"
#include "tests/base/temporary_directory.h"

namespace apiquota::app {
namespace {

using std::filesystem::perms;

constexpr SystemTime kNow{std::chrono::seconds(1'763'823'600)};

void ObserveOneReading(quota::Ledger& ledger) {
  provider::Reading reading;
  reading.quota = "requests";
  reading.unit = "requests";
  reading.limit = 60;
  reading.remaining = 42;
  reading.reset_at = kNow + std::chrono::minutes(5);
  const provider::Reading readings[] = {reading};
  ledger.Observe({.api = "demo",
                  .key = "anonymous",
                  .exporter = "generic",
                  .sent_at = kNow,
                  .received_at = kNow,
                  .date = kNow,
                  .order = 1,
                  .readings = readings},
                 kNow);
}

std::vector<std::optional<double>> Remaining(const quota::Ledger& ledger) {
  std::vector<std::optional<double>> remaining;
  for (const quota::QuotaView& quota : ledger.Read(kNow).quotas) remaining.push_back(quota.remaining);
  return remaining;
}

TEST(StateFileTest, ReadingsSurviveARestart) {
  const TemporaryDirectory directory;
  quota::Ledger before({});
  ObserveOneReading(before);
  StateFile(directory / "state.json").Save(before, {kNow});
  quota::Ledger restored({});
  StateFile(directory / "state.json").Restore(restored, kNow);
  EXPECT_EQ(Remaining(restored), (std::vector<std::optional<double>>{42}));
}

TEST(StateFileTest, AFileThatCannotBeUnderstoodIsSetAside) {
  const TemporaryDirectory directory;
  directory.Write("state.json", "{\"version\": 1, \"cut\": ");
  quota::Ledger ledger({});
  StateFile state(directory / "state.json");
  state.Restore(ledger, kNow);
  EXPECT_TRUE(Remaining(ledger).empty());
  EXPECT_EQ(directory.Read("state.json.corrupt-1763823600000000"), "{\"version\": 1, \"cut\": ");
  EXPECT_EQ(directory.Count(), 1u);
}

TEST(StateFileTest, AChangedDigitIsNotBelieved) {
  const TemporaryDirectory directory;
  quota::Ledger before({});
  ObserveOneReading(before);
  StateFile(directory / "state.json").Save(before, {kNow});
  std::string text = directory.Read("state.json");
  const size_t at = text.find("\"remaining\": 42");
  ASSERT_NE(at, std::string::npos);
  text[at + 13] = '5';
  directory.Write("state.json", text);
  quota::Ledger restored({});
  StateFile(directory / "state.json").Restore(restored, kNow);
  EXPECT_TRUE(Remaining(restored).empty());
  EXPECT_EQ(directory.Read("state.json.corrupt-1763823600000000"), text);
}

TEST(StateFileTest, OnlyTheNewestDamagedFilesAreKept) {
  const TemporaryDirectory directory;
  directory.Write("state.json.bak", "not ours");
  quota::Ledger ledger({});
  for (int i = 0; i < 9; ++i) {
    directory.Write("state.json", "damaged " + std::to_string(i));
    StateFile(directory / "state.json").Restore(ledger, kNow + std::chrono::seconds(i));
  }
  EXPECT_EQ(directory.Count(), 6u);
  EXPECT_EQ(directory.Read("state.json.corrupt-1763823604000000"), "damaged 4");
  EXPECT_EQ(directory.Read("state.json.corrupt-1763823608000000"), "damaged 8");
}

TEST(StateFileTest, NoFileIsNoMistake) {
  const TemporaryDirectory directory;
  quota::Ledger ledger({});
  StateFile(directory / "state.json").Restore(ledger, kNow);
  StateFile("").Restore(ledger, kNow);
  StateFile("").Save(ledger, {kNow});
  StateFile(directory / "no/state.json").Save(ledger, {kNow});
  EXPECT_EQ(directory.Count(), 0u);
}

class StateDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"}) unsetenv(name);
  }

  const TemporaryDirectory directory_;
};

TEST_F(StateDirectoryTest, SystemdsComesFirst) {
  std::filesystem::create_directory(directory_ / "a");
  setenv("STATE_DIRECTORY", (directory_ / "a" + ":/elsewhere").c_str(), 1);
  setenv("HOME", directory_.path().c_str(), 1);
  EXPECT_EQ(FindStateDirectory(), directory_ / "a");
}

TEST_F(StateDirectoryTest, TheUsersOwnIsMadePrivately) {
  if (std::filesystem::exists("/var/lib/apiquota")) GTEST_SKIP() << "/var/lib/apiquota comes before it";
  setenv("HOME", directory_.path().c_str(), 1);
  EXPECT_EQ(FindStateDirectory(), directory_ / ".local/state/apiquota");
  EXPECT_EQ(std::filesystem::status(directory_ / ".local/state/apiquota").permissions(), perms::owner_all);
  setenv("XDG_STATE_HOME", (directory_ / "missing").c_str(), 1);
  EXPECT_EQ(FindStateDirectory(), directory_ / ".local/state/apiquota") << "a missing root is not made";
  std::filesystem::create_directory(directory_ / "xdg");
  setenv("XDG_STATE_HOME", (directory_ / "xdg").c_str(), 1);
  EXPECT_EQ(FindStateDirectory(), directory_ / "xdg/apiquota");
}

TEST_F(StateDirectoryTest, WithoutOneTheSaltIsRandom) {
  if (std::filesystem::exists("/var/lib/apiquota")) GTEST_SKIP() << "/var/lib/apiquota would be used";
  EXPECT_EQ(FindStateDirectory(), std::nullopt);
  const Result<Secret> first = ObtainSalt("");
  const Result<Secret> second = ObtainSalt("");
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->Equals(second->Reveal()));
}

TEST_F(StateDirectoryTest, TheSaltIsMadeOnceAndKept) {
  setenv("STATE_DIRECTORY", directory_.path().c_str(), 1);
  const Result<Secret> first = ObtainSalt("");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(ObtainSalt("")->Equals(first->Reveal()));
  EXPECT_EQ(std::filesystem::status(directory_ / "key-salt").permissions(),
            perms::owner_read | perms::owner_write);
}

TEST_F(StateDirectoryTest, AConfiguredSaltThatCannotBeUsedIsAMistake) {
  directory_.Write("salt", "0123456789abcdef0123456789abcdef");
  std::filesystem::permissions(directory_ / "salt", perms::owner_all | perms::others_read);
  const Result<Secret> salt = ObtainSalt(directory_ / "salt");
  ASSERT_FALSE(salt);
  EXPECT_EQ(salt.error().message,
            "key_salt_file: the key salt can be read by others; expected mode 0600 (chmod 600)");
}

}  // namespace
}  // namespace apiquota::app
