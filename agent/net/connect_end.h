// Why no connection came about, by the errno of socket(), connect() or SO_ERROR: one reading for the proxy's
// streams and for libcurl's sockets.
#pragma once

#include "net/stream.h"

namespace apiquota::net {

// kRefused, kUnreachable, kConnectTimeout or kLocalLimit. `v6`: the address was one of IPv6.
StreamEnd ConnectEnd(int error, bool v6);

}  // namespace apiquota::net
