#include "apis/credentials.h"

#include <gtest/gtest.h>

#include "tests/apis/allocation_budget.h"

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
    return std::string(FindCredential(info, OneField(name, value)).value());
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
  EXPECT_EQ(FindCredential(info, fields).value(), "first");
  EXPECT_EQ(FindCredential(info, {}).rule, nullptr);
}

TEST(CredentialsTest, AnInjectedKeyStandsWhereTheClientsStood) {
  const provider::ExporterInfo info = TwoPlaces();
  const KeyOptions key{.name = "ci", .value = Secret("sk-ci"), .account = {}};
  const http::Fields bearer = OneField("authorization", "Bearer x");
  const auto as_bearer = InjectKey(info, FindCredential(info, bearer), key);
  EXPECT_EQ(as_bearer->name, "authorization");
  EXPECT_EQ(as_bearer->value, "Bearer sk-ci");
  const auto by_default = InjectKey(info, {}, key);
  EXPECT_EQ(by_default->name, "x-api-key");
  EXPECT_EQ(by_default->value, "sk-ci");
  EXPECT_FALSE(InjectKey(provider::ExporterInfo(), {}, key));
}

provider::ExporterInfo InTheQuery() {
  provider::ExporterInfo info;
  info.credentials = {{.query = "appid"}, {.header = "x-api-key"}};
  return info;
}

TEST(CredentialsTest, AKeyInTheQueryIsTheSameKeyHoweverItIsEscaped) {
  const provider::ExporterInfo info = InTheQuery();
  const auto find = [&](std::string_view target) {
    return std::string(FindCredential(info, {}, target).value());
  };
  EXPECT_EQ(find("/x?q=1&appid=a%2Bb&lang=en"), "a+b");
  EXPECT_EQ(find("/x?appid=a+b"), "a+b");
  EXPECT_EQ(find("/x?%61ppid=%61%2b%62"), "a+b");
  EXPECT_EQ(find("https://api.example/x?APPID=a%2Bb"), "a+b");
  EXPECT_EQ(find("/x?appid=&appid=second"), "second") << "an empty one holds nothing";
  EXPECT_EQ(find("/x?appids=1&xappid=2&q=appid=3"), "");
  EXPECT_EQ(find("/appid=a"), "");
}

TEST(CredentialsTest, AnInjectedKeyStandsInTheQueryWhereThatIsTheFirstPlace) {
  const provider::ExporterInfo info = InTheQuery();
  const KeyOptions key{.name = "ci", .value = Secret("a&b"), .account = {}};
  const auto injected = InjectKey(info, {}, key);
  const auto sent = [&](std::string target) {
    ReplaceInTarget(info, injected, &target);
    return target;
  };
  EXPECT_EQ(sent("/x"), "/x?appid=a%26b");
  EXPECT_EQ(sent("/x?q=%2f&appid=dummy&lang=en"), "/x?q=%2f&lang=en&appid=a%26b");
  EXPECT_EQ(sent("/x?%41ppid=1&APPID=2"), "/x?appid=a%26b");
  const auto in_header = InjectKey(info, FindCredential(info, OneField("X-Api-Key", "x")), key);
  EXPECT_EQ(in_header->name, "x-api-key");
  std::string target = "/x?q=%2f&appid=dummy";
  EXPECT_TRUE(ReplaceInTarget(info, in_header, &target));
  EXPECT_EQ(target, "/x?q=%2f") << "nothing of the client's is left";
}

TEST(CredentialsTest, OfSignedRequestsTheSignerIsFoundWhateverTheScheme) {
  const provider::ExporterInfo info = TwoPlaces();
  const auto find = [&](std::string_view nonce) {
    const std::string value = "Digest username=\"u\", realm=\"r\", nonce=\"" + std::string(nonce) + "\"";
    return std::string(FindCredential(info, OneField("Authorization", value)).value());
  };
  EXPECT_EQ(find("1"), "u\nr");
  EXPECT_EQ(find("2"), find("1"));
  const http::Fields aws = OneField("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/2026/r, Signature=1");
  EXPECT_EQ(FindCredential(InTheQuery(), aws).value(), "AKID") << "no rule of its own";
  EXPECT_EQ(FindCredential(info, {}, "/x?X-Amz-Credential=AKID%2F2026&X-Amz-Signature=1").value(), "AKID");
}

TEST(CredentialsTest, FindingOneAllocatesOnlyWhatMustBeDecodedOrPutTogether) {
  const provider::ExporterInfo headers = TwoPlaces();
  const provider::ExporterInfo query = InTheQuery();
  const http::Fields bearer = OneField("Authorization", "Bearer sk-a-key-that-fits-no-small-string");
  const http::Fields signed_fields = OneField(
      "X-Api-Key", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE-A-LONG-ONE-INDEED/d/r, Signature=abcdef");
  size_t found = 0;
  allocations_left = 0;
  for (const char* target : {"/x", "/x?q=1&page=2"}) {
    found += FindCredential(headers, bearer, target).value().size();
    found += FindCredential(headers, signed_fields, target).value().size();
    found += FindCredential(headers, {}, target).value().size();
    found += FindCredential(query, {}, target).value().size();
  }
  found += FindCredential(query, {}, "/x?appid=a-key-that-fits-no-small-string").value().size();
  allocations_left = SIZE_MAX;
  EXPECT_EQ(found, 2 * 34u + 2 * 29u + 31u);
}

TEST(CredentialsTest, ATokenInBasicIsTheKeyThatItIsAlone) {
  const auto catalogue = *provider::Catalogue::Embedded();
  const auto find = [&](const char* exporter, std::string_view value) {
    return std::string(
        FindCredential(Info(*catalogue.Find(exporter)), OneField("Authorization", value)).value());
  };
  for (const char* value : {"Bearer ghp_1", "token ghp_1", "Basic b2N0b2NhdDpnaHBfMQ==", "Basic Z2hwXzE6",
                            "basic Z2hwXzE6eC1vYXV0aC1iYXNpYw=="}) {
    EXPECT_EQ(find("github", value), "ghp_1") << value;
  }
  for (const char* value : {"Bearer sk_1", "Basic c2tfMTo="})
    EXPECT_EQ(find("stripe", value), "sk_1") << value;
  EXPECT_EQ(find("twilio", "Basic QUMxOnRva2Vu"), "QUMxOnRva2Vu") << "where both halves count, as it stands";
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
    const provider::CredentialRule* const rule = decision.found.rule;
    const std::string form = rule != nullptr ? " " + rule->header + rule->scheme + rule->query : "";
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
  api_ = Api("ip-api", false);
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

TEST_F(DecisionTest, ACallersTokenIsRecognisedInAParameterForACredential) {
  api_ = Api("openweather", true);  // appid in the query, or x-api-key
  EXPECT_EQ(Decide({}, "/demo/x?appid=tok-nightly"), "inject for nightly appid");
  EXPECT_EQ(Decide({}, "/demo/x?q=1&appid=tok%2Dnightly&r=2"), "inject for nightly appid");
  EXPECT_EQ(Decide({}, "/demo/x?appid=tok-elsewhere"), "caller");
  EXPECT_EQ(Decide({}, "/demo/x?appid=tok-nightly&q=tok-nightly"), "token_leak");
  EXPECT_EQ(Decide({}, "/demo/tok-nightly?appid=tok-nightly"), "token_leak");
  EXPECT_EQ(Decide({}, "/demo/x?appid=xtok-nightly"), "token_leak") << "no one's token, and holds one";
  EXPECT_EQ(Decide({}, "/demo/x?key=tok-nightly"), "token_leak") << "no place for a credential";
  EXPECT_EQ(Decide({{"Cookie", "tok-nightly"}}, "/demo/x?appid=tok-nightly"), "token_leak");
  api_ = Api("openweather", false);
  EXPECT_EQ(Decide({}, "/demo/x?appid=tok-nightly"), "strip for nightly appid");
}

TEST_F(DecisionTest, AParameterForACredentialThatIsRepeatedIsRefusedWhereSomethingDecides) {
  api_ = Api("openweather", true);
  const auto twice = [this] { return Decide({}, "/demo/x?appid=a&%61ppid=b"); };
  const auto in_both = [this](const char* key) { return Decide({{"x-api-key", "b"}}, key); };
  EXPECT_EQ(twice(), "credentials");
  EXPECT_EQ(in_both("/demo/x?appid=tok-nightly"), "credentials");
  EXPECT_EQ(in_both("/demo/x?appid=a"), "pass appid") << "nothing is decided by either";
  EXPECT_EQ(Decide({}, "/demo/x?appid=&appid=tok-nightly"), "inject for nightly appid");
  callers_.clear();
  EXPECT_EQ(twice(), "credentials");
  EXPECT_EQ(in_both("/demo/x?appid=a"), "credentials");
  api_ = Api("openweather", false);
  EXPECT_EQ(twice(), "pass appid");
  EXPECT_EQ(in_both("/demo/x?appid=a"), "pass appid");
}

TEST_F(DecisionTest, AKeyCantBeInjectedWhereTheExporterNamesNoFieldForIt) {
  api_ = Api("ip-api", true);
  EXPECT_EQ(Decide({}),
            "api demo: exporter ip-api knows no header for a credential: a key can't be injected");
}

}  // namespace
}  // namespace apiquota::apis
