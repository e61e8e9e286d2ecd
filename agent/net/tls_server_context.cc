// A server's options → OpenSSL's context.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "net/address.h"
#include "net/tls_settings.h"

namespace apiquota::net {
namespace {

constexpr size_t kPemBytesMax = 1024 * 1024;

struct PemDeleter {
  void operator()(BIO* x) const { BIO_free(x); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
  void operator()(std::FILE* x) const { std::fclose(x); }
};
template <class T>
using Owned = std::unique_ptr<T, PemDeleter>;

// PEM text and what to call it in a sentence: by the key of the configuration, whose value is not repeated.
struct Pem {
  Secret text;
  std::string name;

  Owned<BIO> Open() const {
    return Owned<BIO>(BIO_new_mem_buf(text.Reveal().data(), static_cast<int>(text.Reveal().size())));
  }
};

Result<Pem> ReadPem(const std::string& file, std::string_view inline_text, std::string_view key) {
  if (file.empty()) return Pem{Secret(std::string(inline_text)), fmt::format("tls_server_config.{}", key)};
  std::string name = fmt::format("tls_server_config.{}_file", key);
  const auto unreadable = [&name] {
    return Fail(fmt::format("{}: cannot read the file: {}", name, std::generic_category().message(errno)));
  };
  const Owned<std::FILE> stream(std::fopen(file.c_str(), "re"));
  if (!stream) return unreadable();
  std::string text(kPemBytesMax, '\0');
  const size_t size = std::fread(text.data(), 1, text.size(), stream.get());
  if (std::ferror(stream.get()) != 0) return unreadable();
  text.resize(size);
  return Pem{Secret(std::move(text)), std::move(name)};
}

// A passphrase is asked of nobody: OpenSSL would read it from the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

std::vector<Owned<X509>> Certificates(const Pem& pem) {
  std::vector<Owned<X509>> out;
  const Owned<BIO> bio = pem.Open();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr)) {
    out.emplace_back(certificate);
  }
  ERR_clear_error();
  return out;
}

Status UseCertificate(SSL_CTX* context, const TlsServerOptions& options) {
  const auto chain_pem = ReadPem(options.cert_file, options.cert, "cert");
  if (!chain_pem) return std::unexpected(chain_pem.error());
  const auto key_pem = ReadPem(options.key_file, options.key.Reveal(), "key");
  if (!key_pem) return std::unexpected(key_pem.error());
  std::vector<Owned<X509>> chain = Certificates(*chain_pem);
  if (chain.empty()) return Fail(chain_pem->name + ": no certificate can be read, expected PEM");
  const Owned<BIO> bio = key_pem->Open();
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr));
  if (!key) return Fail(key_pem->name + ": no private key can be read, expected PEM without a passphrase");
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    return Fail(
        fmt::format("{} is not the key of the first certificate in {}", key_pem->name, chain_pem->name));
  }
  bool good = SSL_CTX_use_certificate(context, chain[0].get()) == 1;
  for (size_t i = 1; good && i < chain.size(); ++i) {
    good = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  }
  good = good && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  if (!good) return Fail(chain_pem->name + ": OpenSSL refuses this certificate (is its key too weak?)");
  return {};
}

Status UseClientCa(SSL_CTX* context, const TlsServerOptions& options) {
  const bool verifies = options.client_auth == ClientAuth::kVerifyIfGiven ||
                        options.client_auth == ClientAuth::kRequireAndVerify;
  if (!verifies) return {};
  if (options.client_ca_file.empty() && options.client_ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);  // as Go's crypto/tls does
    return {};
  }
  const auto pem = ReadPem(options.client_ca_file, options.client_ca, "client_ca");
  if (!pem) return std::unexpected(pem.error());
  const std::vector<Owned<X509>> certificates = Certificates(*pem);
  if (certificates.empty()) return Fail(pem->name + ": no certificate can be read, expected PEM");
  for (const Owned<X509>& certificate : certificates) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

std::string_view Text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

// As exporter-toolkit compares them; "" for the kinds it does not know.
std::string NameText(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
    case GEN_EMAIL:
    case GEN_URI:
      return std::string(Text(name.d.ia5));
    case GEN_IPADD: {
      const std::string_view bytes = Text(name.d.iPAddress);
      if (bytes.size() != 4 && bytes.size() != 16) return "";
      IpAddress ip{.v6 = bytes.size() == 16, .bytes = {}};
      std::ranges::copy(bytes, ip.bytes.begin());
      return ip.ToText();
    }
    default:
      return "";
  }
}

bool HasAllowedName(const X509* certificate, const std::vector<std::string>& allowed) {
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = NameText(*sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty() && std::ranges::find(allowed, name) != allowed.end()) return true;
  }
  return false;
}

// In the place of OpenSSL's whole verification: the chain where the options ask for it, then the name.
int VerifyClient(X509_STORE_CTX* store, void* argument) {
  const auto& options = *static_cast<const TlsServerOptions*>(argument);
  const bool any =
      options.client_auth == ClientAuth::kRequest || options.client_auth == ClientAuth::kRequireAny;
  if (!any && X509_verify_cert(store) != 1) return 0;
  if (options.client_allowed_sans.empty()) return 1;
  if (HasAllowedName(X509_STORE_CTX_get0_cert(store), options.client_allowed_sans)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

void AskForCertificate(SSL_CTX* context, const TlsServerOptions& options) {
  if (options.client_auth == ClientAuth::kNone) return;
  const bool required =
      options.client_auth == ClientAuth::kRequireAny || options.client_auth == ClientAuth::kRequireAndVerify;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(context, &VerifyClient, const_cast<TlsServerOptions*>(&options));
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);  // a resumed session would not be verified again
  SSL_CTX_set_num_tickets(context, 0);
}

// A client that offers names, and not this one, speaks something else (RFC 7301 3.2).
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                   unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, kAlpnHttp11.data(), kAlpnHttp11.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int Number(TlsVersion version) { return version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION; }

Status ChooseCiphers(SSL_CTX* context, const TlsServerOptions& options) {
  SSL_CTX_set_min_proto_version(context, Number(options.min_version));
  SSL_CTX_set_max_proto_version(context, Number(options.max_version));
  if (options.prefer_server_cipher_suites) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  std::string ciphers;
  for (const std::string& suite : options.cipher_suites) {
    ciphers += (ciphers.empty() ? "" : ":") + std::string(OPENSSL_cipher_name(suite.c_str()));
  }
  std::string curves;
  for (const std::string& curve : options.curves) curves += (curves.empty() ? "" : ":") + curve;
  const bool good = (ciphers.empty() || SSL_CTX_set_cipher_list(context, ciphers.c_str()) == 1) &&
                    (curves.empty() || SSL_CTX_set1_groups_list(context, curves.c_str()) == 1);
  if (!good) return Fail("tls_server_config: OpenSSL refuses these cipher_suites or curve_preferences");
  return {};
}

}  // namespace

Result<TlsContext> NewServerContext(const TlsServerOptions& options) {
  TlsContext out = NewTlsContext(TLS_server_method());
  SSL_CTX* context = out.get();
  if (context == nullptr) return Fail("TLS can't be set up");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
  AskForCertificate(context, options);
  Status status = UseCertificate(context, options);
  if (status) status = UseClientCa(context, options);
  if (status) status = ChooseCiphers(context, options);
  ERR_clear_error();
  if (!status) return std::unexpected(status.error());
  return out;
}

}  // namespace apiquota::net
