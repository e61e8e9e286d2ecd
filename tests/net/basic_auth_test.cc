#include "net/basic_auth.h"

#include <crypt.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <ctime>
#include <string>

namespace apiquota::net {
namespace {

std::string Hash(const std::string& password, const char* prefix = "$2b$", unsigned long cost = 4) {
  crypt_data data{};
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  crypt_gensalt_rn(prefix, cost, "sixteen bytes 16", 16, setting, sizeof setting);
  return crypt_r(password.c_str(), setting, &data);
}

std::string Basic(const std::string& credentials, const std::string& scheme = "Basic ") {
  std::string encoded(credentials.size() * 2 + 8, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(credentials.data()),
                                   static_cast<int>(credentials.size()));
  return scheme + encoded.substr(0, static_cast<size_t>(size));
}

BasicAuth Users() {
  return BasicAuth({{"alice", Secret(Hash("open sesame"))}, {"bob", Secret(Hash("a:b", "$2y$"))}});
}

TEST(BasicAuthTest, TheRightPasswordOfAUserIsTakenAndNothingElse) {
  BasicAuth auth = Users();
  for (int round = 0; round < 2; ++round) {  // computed, then remembered
    EXPECT_TRUE(auth.Authorized(Basic("alice:open sesame")));
    EXPECT_TRUE(auth.Authorized(Basic("bob:a:b", "bAsIc ")));
    for (const std::string& wrong :
         {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic !!!!"),
          Basic("alice:open"), Basic("alice:open sesame "), Basic("alice"), Basic("bob:open sesame"),
          Basic("carol:open sesame"), Basic(":open sesame"), Basic("alice:open sesame", "Bearer "),
          Basic("alice:" + Hash("open sesame")), Basic(std::string("alice:open sesame\0x", 19)),
          "Basic " + std::string(8000, 'A')}) {
      EXPECT_FALSE(auth.Authorized(wrong)) << wrong;
    }
  }
}

TEST(BasicAuthTest, WithoutUsersEverybodyIsAuthorized) {
  BasicAuth auth({});
  EXPECT_TRUE(auth.Authorized(""));
}

TEST(BasicAuthTest, OutcomesAreRememberedSoThatAnEventLoopNeedNotCompute) {
  BasicAuth auth = Users();
  const std::string good = Basic("alice:open sesame");
  const std::string bad = Basic("alice:no");
  EXPECT_EQ(auth.Known(good), std::nullopt);
  EXPECT_EQ(auth.Known("Bearer x"), false) << "there is nothing to compute";
  auth.Authorized(good);
  auth.Authorized(bad);
  EXPECT_EQ(auth.Known(good), true);
  EXPECT_EQ(auth.Known(bad), false);
}

double CpuSecondsOf(BasicAuth& auth, const std::string& authorization) {
  const std::clock_t before = std::clock();
  auth.Authorized(authorization);
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
}

TEST(BasicAuthTest, AnUnknownUserCostsWhatAKnownOneCosts) {
  BasicAuth auth({{"alice", Secret(Hash("open sesame", "$2y$", 8))}});
  const double known = CpuSecondsOf(auth, Basic("alice:wrong"));
  const double unknown = CpuSecondsOf(auth, Basic("nobody:wrong"));
  EXPECT_GT(unknown, known / 4);
  EXPECT_LT(unknown, known * 4);
}

}  // namespace
}  // namespace apiquota::net
