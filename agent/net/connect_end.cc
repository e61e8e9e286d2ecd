#include "net/connect_end.h"

#include <cerrno>

namespace apiquota::net {

// For want of a port, connect() says EADDRNOTAVAIL.
StreamEnd ConnectEnd(int error, bool v6) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:  // epoll's own limit
      return StreamEnd::kLocalLimit;
    case EADDRNOTAVAIL:
      return v6 ? StreamEnd::kUnreachable : StreamEnd::kLocalLimit;  // IPv6: no address of ours reaches it
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
      return StreamEnd::kUnreachable;
    case ETIMEDOUT:
      return StreamEnd::kConnectTimeout;
    default:
      return StreamEnd::kRefused;
  }
}

}  // namespace apiquota::net
