// Certificates made while the test runs: a CA, and servers' certificates signed by it or by themselves.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace apiquota::net {

struct CertificateDeleter {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(SSL_CTX* x) const { SSL_CTX_free(x); }
};
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, CertificateDeleter>;
using ServerContextPtr = std::unique_ptr<SSL_CTX, CertificateDeleter>;

struct Identity {
  PrivateKeyPtr key;
  CertificatePtr certificate;
};

inline void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// `names` as in "DNS:localhost,IP:127.0.0.1", "CN:localhost" for a common name alone; empty: a CA. Without an
// issuer it signs itself. Valid from an hour ago for `seconds` from now.
inline Identity MakeIdentity(const std::string& names, const Identity* issuer, long seconds = 3600) {
  static long serial = 1;
  Identity out{PrivateKeyPtr(EVP_EC_gen("P-256")), CertificatePtr(X509_new())};
  X509* certificate = out.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  const bool common_name_alone = names.starts_with("CN:");
  const std::string subject = names.empty() ? "test CA" : common_name_alone ? names.substr(3) : names;
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer->certificate.get() : certificate));
  X509_set_pubkey(certificate, out.key.get());
  AddExtension(certificate, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty() && !common_name_alone) AddExtension(certificate, NID_subject_alt_name, names);
  X509_sign(certificate, issuer ? issuer->key.get() : out.key.get(), EVP_sha256());
  return out;
}

inline ServerContextPtr MakeServer(const Identity& identity, int max_version = TLS1_3_VERSION) {
  ServerContextPtr context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  const unsigned char id[] = "test";
  SSL_CTX_set_session_id_context(context.get(), id, sizeof id - 1);
  return context;
}

inline ServerContextPtr MakeClient(const Identity* identity, int max_version = TLS1_3_VERSION) {
  ServerContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  if (identity != nullptr) {
    SSL_CTX_use_certificate(context.get(), identity->certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity->key.get());
  }
  return context;
}

inline void WriteKeyPem(const Identity& identity, const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

inline void WritePem(const Identity& identity, const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, identity.certificate.get());
  std::fclose(file);
}

}  // namespace apiquota::net
