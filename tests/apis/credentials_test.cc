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

// What becomes of a request: "pass", "inject", "strip", or why it is refused; then whose token it was.
class DecisionTest : public testing::Test {
 protected:
  // `fields` as "name: value" each, in order.
  std::string Decide(const std::vector<std::pair<std::string, std::string>>& fields,
                     const std::string& target = "/demo/v1/models", const std::string& method = "GET") {
    http::RequestHead head;
    head.method = method;
    head.target = target;
    for (const auto& [name, value] : fields) head.fields.Add(name, value);
    const auto routes =
        BuildRoutes({api_}, callers_, exporters_, net::Fingerprinter(Secret("0123456789abcdef")), metrics_);
    if (!routes) return routes.error().message;
    const CredentialDecision decision = DecideCredential(**routes, *(*routes)->routes().front(), head, true);
    const KeyChoice& choice = decision.choice;
    if (choice.action == KeyChoice::Action::kRefuse) return std::string(Info(choice.refusal).label);
    constexpr const char* kWords[] = {"pass", "inject", "strip"};
    const std::string whose = choice.caller != nullptr ? " for " + choice.caller->name : "";
    const std::string form =
        decision.found.rule != nullptr ? " " + decision.found.rule->header + decision.found.rule->scheme : "";
    return kWords[static_cast<size_t>(choice.action)] + whose + form;
  }

  static ApiOptions Api(const std::string& exporter, bool inject) {
    ApiOptions api;
    api.name = "demo";
    api.exporter = exporter;
    api.base_url = "http://127.0.0.1:1";
    api.route = "/demo";
    if (inject)
      api.keys.push_back({.name = "ci", .value = Secret("sk-ci"), .account = {}, .inject_default = true});
    return api;
  }

  metrics::Registry registry_;
  metrics::AgentMetrics metrics_{registry_};
  provider::Catalogue exporters_ = *provider::Catalogue::Embedded();
  ApiOptions api_ = Api("anthropic", true);  // x-api-key, or Authorization with Bearer
  std::vector<CallerOptions> callers_ = {
      {.name = "nightly", .token = Secret("tok-nightly"), .apis = {}},
      {.name = "elsewhere", .token = Secret("tok-elsewhere"), .apis = {"x"}}};
};

TEST_F(DecisionTest, ACallersTokenIsRecognisedInEveryFieldForACredentialUnderAnyScheme) {
  EXPECT_EQ(Decide({{"x-api-key", "tok-nightly"}}), "inject for nightly x-api-key");
  EXPECT_EQ(Decide({{"Authorization", "Bearer tok-nightly"}}), "inject for nightly authorizationBearer");
  EXPECT_EQ(Decide({{"Authorization", "tok-nightly"}}), "inject for nightly");
  EXPECT_EQ(Decide({{"Authorization", "Token  tok-nightly"}}), "inject for nightly");
  EXPECT_EQ(Decide({{"Authorization", "Basic dXNlcjp0b2stbmlnaHRseQ=="}}), "inject for nightly")
      << "user:token";
  EXPECT_EQ(Decide({{"Authorization", "basic dG9rLW5pZ2h0bHk6"}}), "inject for nightly") << "token:";
  EXPECT_EQ(Decide({{"X_Api_Key", "tok-nightly"}}), "inject for nightly") << "that name is left out as well";
  EXPECT_EQ(Decide({{"x-api-key", "tok-elsewhere"}}), "caller");
  api_ = Api("anthropic", false);
  EXPECT_EQ(Decide({{"x-api-key", "tok-nightly"}}), "strip for nightly x-api-key");
}

TEST_F(DecisionTest, ACallersTokenNeverReachesTheProviderInAnyOtherField) {
  for (const char* value :
       {"tok-nightly", "tok-elsewhere", "a=1; session=tok-nightly", "Bearer tok-nightly", "tok%2dnightly",
        "%74%6f%6b%2D%6e%69%67%68%74%6c%79", "Basic dXNlcjp0b2stbmlnaHRseQ==", "eHRvay1uaWdodGx5Og",
        "openai-insecure-api-key.tok-nightly"}) {
    EXPECT_EQ(Decide({{"X-Other", value}}), "token_leak") << value;
    EXPECT_EQ(Decide({{"x-api-key", "tok-nightly"}, {"Cookie", value}}), "token_leak") << value;
    EXPECT_EQ(Decide({{"x-api-key", "sk-own"}, {"Cookie", value}}), "token_leak") << value;
  }
  EXPECT_EQ(Decide({{"x-tok-nightly", "1"}}), "token_leak") << "a field's name";
  EXPECT_EQ(Decide({{"Authorization", "Bearer tok-nightly, tok-nightly"}}), "token_leak") << "no one token";
}

TEST_F(DecisionTest, NorInTheTarget) {
  for (const char* target : {"/demo/v1?key=tok-nightly", "/demo/tok-nightly/v1", "/demo/v1?key=tok%2dnightly",
                             "/demo/dXNlcjp0b2stbmlnaHRseQ==", "http://tok-nightly@localhost/demo"}) {
    EXPECT_EQ(Decide({}, target), "token_leak") << target;
    EXPECT_EQ(Decide({{"x-api-key", "tok-nightly"}}, target), "token_leak") << target;
  }
}

TEST_F(DecisionTest, NorInTheMethod) {
  EXPECT_EQ(Decide({}, "/demo/v1", "tok-nightly"), "token_leak");
  EXPECT_EQ(Decide({{"x-api-key", "tok-nightly"}}, "/demo/v1", "tok-nightly"), "token_leak");
}

TEST_F(DecisionTest, NorWhereTheExporterNamesNoFieldForACredential) {
  api_ = Api("mapbox", false);
  EXPECT_EQ(Decide({{"Authorization", "Bearer tok-nightly"}}), "token_leak");
  EXPECT_EQ(Decide({{"Authorization", "Bearer sk-own"}}), "pass");
}

TEST_F(DecisionTest, SeveralFieldsForACredentialAreRefusedWhereOneOfThemDecides) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> cases = {
      {{"Authorization", "Bearer tok-nightly"}, {"Authorization", "Bearer sk-own"}},
      {{"Authorization", "Bearer sk-own"}, {"Authorization", "Bearer tok-nightly"}},
      {{"x-api-key", "sk-own"}, {"Authorization", "Bearer tok-nightly"}},
      {{"x-api-key", "tok-nightly"}, {"X_API_KEY", "sk-own"}},
  };
  for (const auto& fields : cases) EXPECT_EQ(Decide(fields), "credentials");
  EXPECT_EQ(Decide({{"x-api-key", ""}, {"Authorization", "Bearer tok-nightly"}}), "inject for nightly")
      << "an empty one holds nothing, and is left out";
  callers_.clear();
  for (const auto& fields : cases) EXPECT_EQ(Decide(fields), "credentials") << "a key is injected for all";
  api_ = Api("anthropic", false);
  for (const auto& fields : cases) EXPECT_EQ(Decide(fields).substr(0, 4), "pass");
}

TEST_F(DecisionTest, AClientsOwnCredentialPasses) {
  EXPECT_EQ(Decide({}), "pass");
  EXPECT_EQ(Decide({{"x-api-key", "sk-own"}, {"Cookie", "tok-night"}}), "pass x-api-key");
  callers_.clear();
  EXPECT_EQ(Decide({{"x-api-key", "sk-own"}, {"Cookie", "tok-nightly"}}), "inject x-api-key");
}

TEST_F(DecisionTest, AKeyCantBeInjectedWhereTheExporterNamesNoFieldForIt) {
  api_ = Api("mapbox", true);
  EXPECT_EQ(Decide({}),
            "api demo: exporter mapbox knows no header for a credential: a key can't be injected");
}

}  // namespace
}  // namespace apiquota::apis
