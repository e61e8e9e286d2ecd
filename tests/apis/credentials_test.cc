#include "apis/credentials.h"

#include <gtest/gtest.h>

namespace apiquota::apis {
namespace {

provider::ExporterInfo TwoPlaces() {
  provider::ExporterInfo info;
  info.credentials = {{.header = "x-api-key", .scheme = ""}, {.header = "authorization", .scheme = "Bearer"}};
  return info;
}

http::Fields OneField(std::string_view name, std::string_view value) {
  http::Fields fields;
  fields.Add(name, value);
  return fields;
}

TEST(CredentialsTest, AreFoundWhereTheProviderLooksWithoutTheirScheme) {
  const provider::ExporterInfo info = TwoPlaces();
  const auto find = [&](std::string_view name, std::string_view value) {
    return std::string(FindCredential(info, OneField(name, value)).value);
  };
  EXPECT_EQ(find("X-Api-Key", "abc"), "abc");
  EXPECT_EQ(find("Authorization", "Bearer abc"), "abc");
  EXPECT_EQ(find("authorization", "bearer   abc"), "abc");
  EXPECT_EQ(find("Authorization", "Basic abc"), "");
  EXPECT_EQ(find("Authorization", "Bearerabc"), "");
  EXPECT_EQ(find("Cookie", "abc"), "");
}

TEST(CredentialsTest, TheFirstPlaceThatHoldsOneWins) {
  const provider::ExporterInfo info = TwoPlaces();
  http::Fields fields = OneField("authorization", "Bearer second");
  fields.Add("x-api-key", "first");
  EXPECT_EQ(FindCredential(info, fields).value, "first");
  EXPECT_EQ(FindCredential(info, {}).rule, nullptr);
}

TEST(CredentialsTest, AnInjectedKeyStandsWhereTheClientsStood) {
  const provider::ExporterInfo info = TwoPlaces();
  const KeyOptions key{.name = "ci", .value = Secret("sk-ci"), .account = {}};
  const http::Fields bearer = OneField("authorization", "Bearer x");
  const auto as_bearer = InjectedCredential(info, FindCredential(info, bearer), key);
  EXPECT_EQ(as_bearer->name, "authorization");
  EXPECT_EQ(as_bearer->value, "Bearer sk-ci");
  const auto by_default = InjectedCredential(info, {}, key);
  EXPECT_EQ(by_default->name, "x-api-key");
  EXPECT_EQ(by_default->value, "sk-ci");
  EXPECT_FALSE(InjectedCredential(provider::ExporterInfo(), {}, key));
}

}  // namespace
}  // namespace apiquota::apis
