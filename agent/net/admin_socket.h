// What civetweb leaves to its user about the listening socket: its notation for addresses, the reason why it
// could not listen, and a way to end its accept loop at once. Internal to the admin server.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "net/options.h"

namespace apiquota::net {

// civetweb's own notation, in which "+9429" listens on all addresses of both families.
std::string CivetwebPorts(const ListenAddress& listen);

// Why that failed: asks the kernel again.
std::string WhyNotListening(const ListenAddress& listen);

// While it lives, connects to the listener now and again, so that an accept loop that only looks around after
// a poll of two seconds does so soon.
class ListenWaker {
 public:
  ListenWaker(const ListenAddress& listen, uint16_t port);

 private:
  std::jthread thread_;  // ends with this object
};

}  // namespace apiquota::net
