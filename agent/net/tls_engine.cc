#include "net/tls_engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

#include "net/address.h"

namespace apiquota::net {
namespace {

// The first of the errors is the cause; those behind it say where it was noticed.
std::string_view WordsOf(unsigned long error) {
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST)
    return "it spoke plain HTTP; an https:// URL is needed";
  const char* const words = ERR_reason_error_string(error);
  return words != nullptr ? words : "";
}

}  // namespace

// Between OpenSSL and the engine's two byte queues: no copy on the way in, one on the way out.
struct TlsBio {
  static TlsEngine& Engine(BIO* bio) { return *static_cast<TlsEngine*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* to, int size) {
    TlsEngine& engine = Engine(bio);
    BIO_clear_retry_flags(bio);
    if (engine.input_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t n = std::min(engine.input_.size(), static_cast<size_t>(size));
    std::memcpy(to, engine.input_.data(), n);
    engine.input_.remove_prefix(n);
    return static_cast<int>(n);
  }

  static int Write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    Engine(bio).output_.append(from, static_cast<size_t>(size));
    return size;
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "engine");
      BIO_meth_set_read(made, &TlsBio::Read);
      BIO_meth_set_write(made, &TlsBio::Write);
      BIO_meth_set_ctrl(made, &TlsBio::Control);
      return made;
    }();
    return method;
  }
};

TlsEngine::TlsEngine(const TlsClient& client, const std::string& host, TlsSession* session)
    : ssl_(SSL_new(client.context())) {
  Attach();
  SSL_set_connect_state(ssl_.get());
  SSL_set_app_data(ssl_.get(), reinterpret_cast<char*>(session));
  // RFC 9110 4.3.4: a common name is no name to believe.
  SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (const auto ip = IpAddress::Parse(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), ip->ToText().c_str());
  } else {
    SSL_set1_host(ssl_.get(), host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  }
  if (*session) SSL_set_session(ssl_.get(), session->get());
}

TlsEngine::TlsEngine(const TlsContext& server) : ssl_(SSL_new(server.get())) {
  Attach();
  SSL_set_accept_state(ssl_.get());
}

void TlsEngine::Attach() {
  BIO* bio = BIO_new(TlsBio::Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

// OpenSSL takes a connection that ends without close_notify for an attack on its session, and spoils the
// session.
TlsEngine::~TlsEngine() {
  const bool sound = state_ == TlsState::kOpen || state_ == TlsState::kClosed;
  if (sound) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void TlsEngine::Fail() {
  const long verdict = SSL_get_verify_result(ssl_.get());
  const bool certificate = state_ == TlsState::kHandshaking && verdict != X509_V_OK;
  state_ = certificate ? TlsState::kBadCertificate : TlsState::kFailed;
  failure_ = certificate ? X509_verify_cert_error_string(verdict) : WordsOf(ERR_peek_error());
  ERR_clear_error();
}

void TlsEngine::Handshake() {
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    state_ = TlsState::kOpen;
    return;
  }
  if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) Fail();
}

size_t TlsEngine::Read(std::span<char> to) {
  if (state_ != TlsState::kOpen) return 0;
  size_t n = 0;
  const int done = SSL_read_ex(ssl_.get(), to.data(), to.size(), &n);
  if (done == 1) return n;
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_READ) return 0;
  if (error == SSL_ERROR_ZERO_RETURN) {
    state_ = TlsState::kClosed;
  } else {
    Fail();
  }
  return 0;
}

bool TlsEngine::Write(std::string_view plain) {
  if (state_ != TlsState::kOpen) return false;
  if (plain.empty()) return true;
  size_t n = 0;
  // The output queue takes everything, so a write is whole or fails.
  if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &n) == 1) return true;
  Fail();
  return false;
}

void TlsEngine::Shutdown() {
  if (state_ != TlsState::kOpen) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace apiquota::net
