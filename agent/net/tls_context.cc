#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_settings.h"

namespace apiquota::net {
namespace {

// A ticket for the next connection to the same upstream: TlsEngine says where it is kept.
int KeepSession(SSL* ssl, SSL_SESSION* session) {
  reinterpret_cast<TlsSession*>(SSL_get_app_data(ssl))->reset(session);
  return 1;  // ours now
}

}  // namespace

void TlsDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsDeleter::operator()(ssl_st* connection) const { SSL_free(connection); }
void TlsDeleter::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

TlsContext NewTlsContext(const ssl_method_st* method) {
  TlsContext out(SSL_CTX_new(method));
  SSL_CTX* context = out.get();
  if (context == nullptr) return out;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps no record buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return out;
}

Result<TlsClient> TlsClient::Create(const TlsClientOptions& options) {
  TlsClient out;
  out.context_ = NewTlsContext(TLS_client_method());
  SSL_CTX* context = out.context_.get();
  if (context == nullptr) return Fail("TLS can't be set up");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &KeepSession);
  SSL_CTX_set_alpn_protos(context, kAlpnHttp11.data(), kAlpnHttp11.size());
  const int loaded = options.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr);
  ERR_clear_error();
  if (loaded != 1) {
    return Fail("proxy.tls.ca_file: no certificates can be read from the file; expected PEM");
  }
  return out;
}

}  // namespace apiquota::net
