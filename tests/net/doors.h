// One port on several addresses of this machine, each of which answers those who knock in its own way. The
// port is the test's alone: whoever else uses it on one of the addresses makes the test take another.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "net/socket_address.h"

namespace apiquota::net {

enum class Answer : uint8_t {
  kOpen,     // connections come about, and wait to be taken
  kRefused,  // as of a machine where nothing listens
  kSilence,  // as of a dead machine: the one place in the queue is taken, and the kernel drops who else comes
};

class Doors {
 public:
  explicit Doors(const std::vector<std::pair<std::string, Answer>>& answers = {
                     {"127.0.0.1", Answer::kOpen}}) {
    for (int i = 0; i < 100; ++i) {
      port_ = 0;
      sockets_.clear();
      guests_.clear();
      const bool open = std::ranges::all_of(
          answers, [&](const auto& one) { return Open(*IpAddress::Parse(one.first), one.second); });
      if (open) return;
    }
    std::abort();
  }

  uint16_t port() const { return port_; }

  // A connection to the `at`th address; the caller closes it.
  int Take(size_t at = 0) { return accept4(sockets_[at].get(), nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  bool Open(const IpAddress& ip, Answer answer) {
    const Descriptor& socket = sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SocketAddress at = ToSocketAddress({.ip = ip, .port = port_});
    if (bind(socket.get(), at.get(), at.size) != 0) return false;
    getsockname(socket.get(), at.get(), &at.size);
    port_ = FromSocketAddress(at.get()).port;
    if (answer == Answer::kRefused) return true;
    if (listen(socket.get(), answer == Answer::kSilence ? 0 : 16) != 0) return false;
    if (answer == Answer::kOpen) return true;
    const Descriptor& guest = guests_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(guest.get(), at.get(), at.size) == 0;
  }

  uint16_t port_ = 0;
  std::deque<Descriptor> sockets_;
  std::deque<Descriptor> guests_;
};

}  // namespace apiquota::net
