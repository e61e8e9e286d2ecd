// What both roles of TLS have in common. Internal to tls_*.cc.
#pragma once

#include <array>

#include "net/tls_context.h"

struct ssl_method_st;

namespace apiquota::net {

// RFC 7301 3.1: a list of one protocol name.
inline constexpr std::array<unsigned char, 9> kAlpnHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// TLS 1.2 or newer, no renegotiation, no compression. Null if there is no memory.
TlsContext NewTlsContext(const ssl_method_st* method);

// The same, with everything a server's options say; Error: one sentence. `options` must outlive it.
Result<TlsContext> NewServerContext(const TlsServerOptions& options);

}  // namespace apiquota::net
