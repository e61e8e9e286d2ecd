#include "net/listen_waker.h"

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/descriptor.h"
#include "net/socket_address.h"

namespace apiquota::net {

ListenWaker::ListenWaker(uint16_t port)
    : thread_([address = ToSocketAddress({.ip = *IpAddress::Parse("127.0.0.1"), .port = port})](
                  const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          const Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
          if (!socket.valid() || connect(socket.get(), address.get(), address.size) != 0) return;
          wake.wait_for(lock, stop, std::chrono::milliseconds(10), [] { return false; });
        }
      }) {}

}  // namespace apiquota::net
