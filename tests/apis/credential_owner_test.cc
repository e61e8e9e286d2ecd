#include "apis/credential_owner.h"

#include <gtest/gtest.h>

namespace apiquota::apis {
namespace {

std::string Signer(std::string_view value) {
  const auto owner = SignerOf(value);
  return owner ? std::string(owner->text()) : "none";
}

std::string QuerySigner(std::string_view query) {
  const auto owner = SignerOfQuery(query);
  return owner ? std::string(owner->text()) : "none";
}

TEST(CredentialOwnerTest, OfASignedRequestTheIdCountsAndNotTheSignature) {
  EXPECT_EQ(Signer("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                   "SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79"),
            "AKIDEXAMPLE");
  EXPECT_EQ(
      Signer("AWS4-HMAC-SHA256 Credential=AKID/20150830/r/s/aws4_request,SignedHeaders=host,Signature=1"),
      "AKID");
  EXPECT_EQ(Signer("AWS4-ECDSA-P256-SHA256 Credential=AKID/20210101/s3/aws4_request, SignedHeaders=h, "
                   "Signature=3045"),
            "AKID");
  EXPECT_EQ(
      Signer("GOOG4-RSA-SHA256 Credential=a@p.iam.gserviceaccount.com/20191201/us/storage/goog4_request,"
             "SignedHeaders=host,Signature=0"),
      "a@p.iam.gserviceaccount.com");
  EXPECT_EQ(Signer("TC3-HMAC-SHA256 Credential=AKIDz8/2019-02-25/cvm/tc3_request, SignedHeaders=host, "
                   "Signature=10b1"),
            "AKIDz8");
  EXPECT_EQ(Signer("ACS3-HMAC-SHA256 Credential=LTAI5,SignedHeaders=host,Signature=1"), "LTAI5");
  EXPECT_EQ(Signer("HMAC-SHA256 Credential=0-l4-s0:x&SignedHeaders=x-ms-date;host&Signature=a=="),
            "0-l4-s0:x");
  EXPECT_EQ(Signer("AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="), "AKIDEXAMPLE");
  EXPECT_EQ(Signer("SharedKey account:ctzMq410TV3wS7upTBcunJTDLEJwMAZuFPfr0mrrA08="), "account");
}

TEST(CredentialOwnerTest, OAuth1IsItsConsumerKeyAndToken) {
  const std::string first = Signer(
      "OAuth realm=\"Photos, and more\", oauth_consumer_key=\"dpf43\", oauth_token=\"nnch7\", "
      "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131202\", oauth_nonce=\"chapoH\", "
      "oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\"");
  EXPECT_EQ(first, "dpf43\nnnch7");
  EXPECT_EQ(Signer("oauth oauth_nonce=\"x\",oauth_token=\"nnch%37\",oauth_consumer_key=\"dpf43\""), first)
      << "in any order and spelling";
  EXPECT_NE(Signer("OAuth oauth_consumer_key=\"dpf43\", oauth_token=\"other\""), first);
  EXPECT_EQ(QuerySigner("oauth_token=nnch7&file=x&oauth_consumer_key=dpf43&oauth_signature=a"), first);
  EXPECT_EQ(Signer("OAuth oauth_consumer_key=\"dpf43\", oauth_nonce=\"1\""), "dpf43");
  EXPECT_EQ(Signer("OAuth 00D50000000IZ3Z!AQ0AQDpEDKYsn7ioKug2aSmgCjgrPjG9eRLza8jXWoW7uA"), "none");
}

TEST(CredentialOwnerTest, DigestIsItsUserAndRealm) {
  EXPECT_EQ(
      Signer("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
             "algorithm=MD5, nonce=\"7ypf\", nc=00000001, cnonce=\"f2/w\", qop=auth, response=\"8ca5\""),
      "Mufasa\nhttp-auth@example.org");
  EXPECT_EQ(Signer("Digest realm=\"a, username=\\\"b\\\"\", username=\"c\", nonce=\"d\""),
            "c\na, username=\\\"b\\\"")
      << "a name inside quotes is none";
  EXPECT_EQ(Signer("Digest username*=UTF-8''J%C3%A4s, realm=\"r\", nonce=\"n\""), "UTF-8''J%C3%A4s\nr");
}

TEST(CredentialOwnerTest, OtherSchemesThatNameAnId) {
  EXPECT_EQ(Signer("Hawk id=\"dh37fgj492je\", ts=\"1353832234\", nonce=\"j4h3g2\", mac=\"6R4rV5iE=\""),
            "dh37fgj492je");
  EXPECT_EQ(
      Signer("Signature version=\"1\",keyId=\"ocid1/user/fp\",algorithm=\"rsa-sha256\",signature=\"x\""),
      "ocid1/user/fp");
  EXPECT_EQ(Signer("EG1-HMAC-SHA256 client_token=akab-c;access_token=akab-a;timestamp=20140321T19:34:21+0000;"
                   "nonce=nonce-xx;signature=tL+y4hxyHxgWVD30X3pWnGKHcPzmrIF+LThiAOhMxYU="),
            "akab-c");
}

TEST(CredentialOwnerTest, AMessageSignatureIsTheKeyItNames) {
  const auto signer = [](std::string_view input) {
    const auto owner = SignerOfMessage(input);
    return owner ? std::string(owner->text()) : "none";
  };
  EXPECT_EQ(
      signer("sig1=(\"@method\" \"@query-param\";name=\"keyid=x\");created=1618884473;keyid=\"test-key\""),
      "test-key");
  EXPECT_EQ(signer("a=(\"@path\");created=1, b=();keyid=\"of-b\";alg=\"ed25519\""), "of-b");
  EXPECT_EQ(signer("sig1=(\"@method\");created=1"), "none");
  EXPECT_EQ(signer(""), "none");
}

TEST(CredentialOwnerTest, APresignedUrlIsTheKeyThatTheHeaderWouldBe) {
  EXPECT_EQ(
      QuerySigner("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130524%2Fus%2Fs3%2Faws4_request"
                  "&X-Amz-Signature=aeea"),
      "AKID");
  EXPECT_EQ(QuerySigner("X-Goog-Credential=a%40p.iam.gserviceaccount.com%2F20181026%2Fus&X-Goog-Signature=1"),
            "a@p.iam.gserviceaccount.com");
  EXPECT_EQ(QuerySigner("AWSAccessKeyId=AKID&Signature=v%3D&Expires=1"), "AKID");
  EXPECT_EQ(QuerySigner("q=Credential&key=1"), "none");
}

TEST(CredentialOwnerTest, WhatIsNotCertainIsNoOwner) {
  for (const char* value :
       {"", "abc", "Bearer Credential=a,Signature=b", "Basic dXNlcjpwYXNz", "Token token=abc",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2ln", "AWS4-HMAC-SHA256 Credential=AKID/x",
        "Digest x=1", "AWS :x", "Klaviyo-API-Key pk_1", "Signature abc", "Digest username=\"", "OAuth ="}) {
    EXPECT_EQ(Signer(value), "none") << value;
  }
}

std::string Token(std::string_view encoded, provider::CredentialPart part, const std::string& except = "") {
  return std::string(TokenOfBasic(encoded, {.part = part, .except = except}).text());
}

TEST(CredentialOwnerTest, OfBasicTheRuleSaysWhichHalfIsTheToken) {
  using Part = provider::CredentialPart;
  EXPECT_EQ(Token("dXNlcjpQQVQ=", Part::kPassword), "PAT") << "user:PAT";
  EXPECT_EQ(Token("UEFUOg==", Part::kPassword), "PAT") << "PAT:";
  EXPECT_EQ(Token("OlBBVA==", Part::kUser), "PAT") << ":PAT";
  EXPECT_EQ(Token("UEFUOngtb2F1dGgtYmFzaWM=", Part::kPassword, "x-oauth-basic"), "PAT")
      << "PAT:x-oauth-basic";
  EXPECT_EQ(Token("c2tfMTo=", Part::kUser), "sk_1") << "sk_1:";
  EXPECT_EQ(Token("bm9jb2xvbg==", Part::kUser), "bm9jb2xvbg==") << "no colon: all of it";
  EXPECT_EQ(Token("Og==", Part::kUser), "Og==");
  EXPECT_EQ(Token("no base64!", Part::kUser), "no base64!");
}

TEST(CredentialOwnerTest, OfAJsonWebTokenTheClaimOfTheRuleCounts) {
  const auto claim = [](std::string_view token) { return std::string(ClaimOf(token, "iss").text()); };
  EXPECT_EQ(claim("eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjEsImlzcyI6ImFwcD4_In0.c2ln"), "app>?");
  EXPECT_EQ(claim("eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjIsImlzcyI6MTIzNDV9.b3RoZXI"), "12345");
  for (const char* whole : {"ghp_1", "a.b.c", "eyJ9.eyJzdWIiOiJ4In0.c2ln", "v1.2026.x", ".."}) {
    EXPECT_EQ(claim(whole), whole);
  }
}

}  // namespace
}  // namespace apiquota::apis
