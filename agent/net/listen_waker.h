// Makes a listener that looks only now and then whether it is to stop look at once: connects to it again and
// again until it no longer listens, or this goes. Has a thread of its own.
#pragma once

#include <cstdint>
#include <thread>

namespace apiquota::net {

class ListenWaker {
 public:
  explicit ListenWaker(uint16_t port);  // of 127.0.0.1

 private:
  std::jthread thread_;
};

}  // namespace apiquota::net
