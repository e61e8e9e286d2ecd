// A listening socket that a test looks after itself.
#pragma once

#include <sys/socket.h>

#include <cstdlib>
#include <string_view>

#include "base/descriptor.h"
#include "net/socket_address.h"

namespace apiquota::net {

// A port of one address of this machine, listened to: connections are taken when the test wants them.
class Door {
 public:
  // Full: one connection waits already, and the kernel drops whoever else knocks, as a dead machine does.
  explicit Door(std::string_view ip = "127.0.0.1", uint16_t port = 0, bool full = false)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SocketAddress at = ToSocketAddress({.ip = *IpAddress::Parse(ip), .port = port});
    if (bind(socket_.get(), at.get(), at.size) != 0 || listen(socket_.get(), full ? 0 : 16) != 0) abort();
    getsockname(socket_.get(), at.get(), &at.size);
    endpoint_ = FromSocketAddress(at.get());
    if (!full) return;
    waiting_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(waiting_.get(), at.get(), at.size) != 0) abort();
  }
  uint16_t port() const { return endpoint_.port; }
  int Take() { return accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC); }  // to be closed by the caller

 private:
  Descriptor socket_;
  Descriptor waiting_;
  Endpoint endpoint_;
};

}  // namespace apiquota::net
