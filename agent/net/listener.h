// A listening socket of one loop. Several loops may listen on one address (SO_REUSEPORT): the
// kernel spreads connections. While only the reserve of descriptors is left (descriptor_reserve.h),
// or memory is short, it takes nobody and looks again every 100 ms.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/stream.h"

namespace apiquota::net {

class Listener {
 public:
  using Accepted = std::function<void(Stream)>;

  // Fails, in one sentence, if any process (ours included) listens there already; call before the
  // first Open.
  static Status CheckFree(const ListenAddress& address);
  // Listens from now on; connections are handed out once the loop runs, on its thread.
  static Result<std::unique_ptr<Listener>> Open(Loop& loop, const ListenAddress& address, Accepted accepted);
  ~Listener();  // on the loop's thread, or when it does not run

  uint16_t port() const;

 private:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace apiquota::net
