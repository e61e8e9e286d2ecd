#include "config/web_tls.h"

#include <fmt/format.h>

namespace apiquota::config {
namespace {

using net::ClientAuth;
using net::TlsVersion;

constexpr std::pair<std::string_view, ClientAuth> kClientAuth[] = {
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
    {"RequireClientCert", ClientAuth::kRequireAny},  // the toolkit's older name
};

constexpr std::pair<std::string_view, TlsVersion> kVersions[] = {
    {"TLS12", TlsVersion::k12},
    {"TLS13", TlsVersion::k13},
};

// Go's crypto/tls.CipherSuites(). Those of TLS 1.3 are known and can't be chosen, as there.
constexpr std::pair<std::string_view, TlsVersion> kSuites[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", TlsVersion::k12},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", TlsVersion::k12},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", TlsVersion::k12},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", TlsVersion::k12},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", TlsVersion::k12},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", TlsVersion::k12},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TlsVersion::k12},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", TlsVersion::k12},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", TlsVersion::k12},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", TlsVersion::k12},
    {"TLS_AES_128_GCM_SHA256", TlsVersion::k13},
    {"TLS_AES_256_GCM_SHA384", TlsVersion::k13},
    {"TLS_CHACHA20_POLY1305_SHA256", TlsVersion::k13},
};

constexpr std::pair<std::string_view, std::string_view> kCurves[] = {
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
    {"X25519", "X25519"},
};

std::string Text(const YamlValue& value) { return value.Present() ? value.AsString() : ""; }

std::string Path(const YamlValue& value, const Loader& loader) {
  return Text(value).empty() ? "" : LoadPath(value, loader);
}

// Either the file or the text, not both; `required` adds: one of them.
void CheckPair(const YamlMap& section, const YamlValue& file, bool has_file, bool has_text,
               std::string_view name, bool required) {
  if (has_file && has_text) file.Fail(fmt::format("expected either {0} or {0}_file, not both", name));
  if (required && !has_file && !has_text) {
    section.value().Fail(fmt::format("\"{0}_file\" (or \"{0}\") is missing here", name));
  }
}

void LoadFiles(YamlMap& section, const Loader& loader, net::TlsServerOptions* out) {
  const YamlValue cert = section.Get("cert_file");
  const YamlValue key = section.Get("key_file");
  const YamlValue ca = section.Get("client_ca_file");
  out->cert = Text(section.Get("cert"));
  out->key = Secret(Text(section.Get("key")));
  out->client_ca = Text(section.Get("client_ca"));
  out->cert_file = Path(cert, loader);
  out->key_file = Path(key, loader);
  out->client_ca_file = Path(ca, loader);
  CheckPair(section, cert, !out->cert_file.empty(), !out->cert.empty(), "cert", true);
  CheckPair(section, key, !out->key_file.empty(), !out->key.empty(), "key", true);
  CheckPair(section, ca, !out->client_ca_file.empty(), !out->client_ca.empty(), "client_ca", false);
}

void LoadClientAuth(YamlMap& section, net::TlsServerOptions* out) {
  const YamlValue type = section.Get("client_auth_type");
  if (!Text(type).empty()) out->client_auth = type.AsEnum<ClientAuth>(kClientAuth);
  const YamlValue names = section.Get("client_allowed_sans");
  for (const YamlValue& name : names.AsList()) out->client_allowed_sans.push_back(name.AsString());
  const bool has_ca = !out->client_ca_file.empty() || !out->client_ca.empty();
  if (has_ca && out->client_auth == ClientAuth::kNone) {
    section.value().Fail(
        "client CAs are named and no client is asked for a certificate; expected "
        "client_auth_type: RequireAndVerifyClientCert");
  }
  const bool required =
      out->client_auth == ClientAuth::kRequireAny || out->client_auth == ClientAuth::kRequireAndVerify;
  if (names.Present() && !required) {
    names.Fail(
        "client_allowed_sans needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert");
  }
}

void LoadVersions(YamlMap& section, net::TlsServerOptions* out) {
  const auto load = [&](std::string_view key, TlsVersion* version) {
    const YamlValue value = section.Get(key);
    if (Text(value) == "TLS10" || Text(value) == "TLS11") {
      return value.Fail("TLS before 1.2 is not spoken here (RFC 8996); expected TLS12 or TLS13");
    }
    if (!Text(value).empty()) *version = value.AsEnum<TlsVersion>(kVersions);
  };
  load("min_version", &out->min_version);
  load("max_version", &out->max_version);
  if (out->min_version > out->max_version) section.value().Fail("min_version is above max_version");
}

void LoadCiphers(YamlMap& section, net::TlsServerOptions* out) {
  const YamlValue suites = section.Get("cipher_suites");
  const std::vector<YamlValue> list = suites.AsList();
  for (const YamlValue& suite : list) {
    if (suite.AsEnum<TlsVersion>(kSuites) == TlsVersion::k12) out->cipher_suites.push_back(suite.AsString());
  }
  if (!list.empty() && out->cipher_suites.empty()) {
    // None of TLS 1.2 is wanted.
    if (out->max_version == TlsVersion::k12) suites.Fail("expected a suite of TLS 1.2, the max_version");
    out->min_version = TlsVersion::k13;
  }
  for (const YamlValue& curve : section.Get("curve_preferences").AsList()) {
    out->curves.emplace_back(curve.AsEnum<std::string_view>(kCurves));
  }
  const YamlValue prefer = section.Get("prefer_server_cipher_suites");
  if (prefer.Present()) out->prefer_server_cipher_suites = prefer.AsBool();
}

}  // namespace

std::optional<net::TlsServerOptions> LoadWebTls(YamlMap section, const Loader& loader) {
  if (section.Empty()) return std::nullopt;
  net::TlsServerOptions out;
  LoadFiles(section, loader, &out);
  LoadClientAuth(section, &out);
  LoadVersions(section, &out);
  LoadCiphers(section, &out);
  section.Finish();
  if (!loader.context.check_tls_server) return out;
  if (const Status usable = loader.context.check_tls_server(out); !usable) {
    section.value().Fail(usable.error().message);
  }
  return out;
}

}  // namespace apiquota::config
