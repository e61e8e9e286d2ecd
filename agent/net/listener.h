// One loop's ear at a ListenGroup: accepts, begins TLS where the group has it, and hands the stream on. When
// accepting fails for want of descriptors or memory, it rests for 100 ms instead of spinning.
#pragma once

#include <functional>
#include <memory>

#include "base/error.h"
#include "net/descriptor_reserve.h"
#include "net/listen_group.h"
#include "net/loop.h"
#include "net/stream.h"

namespace apiquota::net {

class Listener {
 public:
  // Over TLS the handshake has begun and may fail: OnEnd tells. Until it is through nothing can be written.
  using Accepted = std::function<void(Stream)>;

  // Listens from now on; connections are handed out once the loop runs, on its thread.
  static Result<std::unique_ptr<Listener>> Open(Loop& loop, std::shared_ptr<ListenGroup> group,
                                                Accepted accepted, Reserve reserve = Reserve::kLeaves);
  ~Listener();  // on the loop's thread, or when it does not run

  const ListenGroup& group() const;

 private:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace apiquota::net
