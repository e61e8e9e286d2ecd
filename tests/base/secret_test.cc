#include "base/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <new>
#include <ostream>
#include <type_traits>

namespace apiquota {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Streamable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);

constexpr char kShort[] = "sk-short";  // fits into a std::string itself
constexpr char kLong[] = "sk-a-credential-that-is-longer-than-any-small-string-buffer";

TEST(SecretTest, RevealsWhatItWasGiven) {
  EXPECT_EQ(Secret(kShort).Reveal(), kShort);
  EXPECT_EQ(Secret(kLong).Reveal(), kLong);
  EXPECT_TRUE(Secret().empty());
  EXPECT_FALSE(Secret(kShort).empty());
}

TEST(SecretTest, CopiesAreIndependent) {
  Secret original{std::string(kLong)};
  Secret copy = original;
  original = Secret();
  EXPECT_TRUE(original.empty());
  EXPECT_EQ(copy.Reveal(), kLong);
  Secret& same = copy;
  copy = same;
  EXPECT_EQ(copy.Reveal(), kLong) << "assigned to itself";
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  for (const char* text : {kShort, kLong}) {
    Secret from{std::string(text)};
    Secret constructed(std::move(from));
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the promise under test
    Secret assigned{std::string("an older one")};
    assigned = std::move(constructed);
    EXPECT_TRUE(constructed.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(assigned.Reveal(), text);
  }
}

TEST(SecretTest, BytesAreWipedWhenMovedFromAndWhenItDies) {
  alignas(Secret) unsigned char storage[sizeof(Secret)] = {};
  const auto holds = [&] {
    const std::string_view bytes(reinterpret_cast<const char*>(storage), sizeof storage);
    return bytes.find("sk-sho") != std::string_view::npos;
  };
  auto* secret = new (storage) Secret{std::string(kShort)};
  ASSERT_TRUE(holds()) << "a short string lives inside the object";
  {
    const Secret moved(std::move(*secret));
    EXPECT_FALSE(holds());
    *secret = moved;
    ASSERT_TRUE(holds());
  }
  secret->~Secret();
  EXPECT_FALSE(holds());
}

TEST(SecretTest, EqualsComparesWholeValues) {
  const Secret secret{std::string(kShort)};
  EXPECT_TRUE(secret.Equals(kShort));
  EXPECT_FALSE(secret.Equals("sk-shorT"));
  EXPECT_FALSE(secret.Equals("sk-shor"));
  EXPECT_FALSE(secret.Equals("sk-shortsk-short"));
  EXPECT_FALSE(secret.Equals(""));
}

TEST(SecretTest, AnEmptySecretEqualsNothing) {
  EXPECT_FALSE(Secret().Equals(""));
  EXPECT_FALSE(Secret().Equals("x"));
}

}  // namespace
}  // namespace apiquota
