#include "net/listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "base/descriptor.h"
#include "net/descriptor_reserve.h"
#include "net/stream_impl.h"

namespace apiquota::net {
namespace {

constexpr std::chrono::milliseconds kAcceptRest{100};
constexpr int kAcceptsPerTurn = 16;

}  // namespace

struct Listener::Impl final : std::enable_shared_from_this<Impl>, TimerHandler {
  struct Door final : EventHandler {
    Door(Impl& owner_in, Descriptor socket_in) : owner(owner_in), socket(std::move(socket_in)) {}
    void OnEvents(uint32_t) override { owner.Accept(*this); }

    Impl& owner;
    Descriptor socket;
  };

  Impl(Loop& loop_in, std::shared_ptr<ListenGroup> group_in, Accepted accepted_in, Reserve reserve_in)
      : loop(loop_in),
        group(std::move(group_in)),
        accepted(std::move(accepted_in)),
        reserve(reserve_in),
        rest(*this) {}

  bool Watch() {
    // Of the loops that share a socket one is woken.
    const uint32_t events = EPOLLIN | (group->is_unix() ? EPOLLEXCLUSIVE : 0U);
    bool watched = true;
    for (Door& door : doors) watched = loop.Watch(door.socket.get(), events, door) && watched;
    return watched;
  }

  void Unwatch() {
    for (Door& door : doors) loop.Unwatch(door.socket.get(), door);
  }

  void Accept(Door& door) {
    const auto self = shared_from_this();  // whoever takes a connection may close the listener
    for (int i = 0; i < kAcceptsPerTurn && door.socket.valid(); ++i) {
      const int fd = accept4(door.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      const int error = errno;
      const bool in_reserve = fd >= 0 && reserve == Reserve::kLeaves && InReserve(fd);
      if (fd >= 0) Take(Descriptor(fd));
      if (fd >= 0 && !in_reserve) continue;
      if (in_reserve || error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) Rest();
      return;  // the kernel has no more; a connection that was given up by its client is not worth a word
    }
  }

  void Take(Descriptor socket) {
    Stream stream(new Stream::Impl(loop, std::move(socket)));
    if (TlsServer* tls = group->tls()) stream.StartTlsServer(tls->Context(loop.clock().SteadyNow()));
    accepted(std::move(stream));
  }

  void OnTimer(Timer&) override {
    const bool must_rest = reserve == Reserve::kLeaves && OnlyReserveIsLeft();
    if (must_rest || !Watch()) loop.timers().Arm(rest, kAcceptRest);
  }

  // Whoever comes now waits in the kernel's queue.
  void Rest() {
    if (!group) return;
    WarnOfFewDescriptors();
    Unwatch();
    loop.timers().Arm(rest, kAcceptRest);
  }

  void Close() {
    Unwatch();
    for (Door& door : doors) door.socket.Close();
    rest.Disarm();
    group.reset();
  }

  Loop& loop;
  std::shared_ptr<ListenGroup> group;
  Accepted accepted;
  Reserve reserve;
  std::deque<Door> doors;
  Timer rest;
};

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, std::shared_ptr<ListenGroup> group,
                                                 Accepted accepted, Reserve reserve) {
  auto sockets = group->Take();
  if (!sockets) return std::unexpected(sockets.error());
  auto impl = std::make_shared<Impl>(loop, std::move(group), std::move(accepted), reserve);
  for (Descriptor& socket : *sockets) impl->doors.emplace_back(*impl, std::move(socket));
  if (!impl->Watch()) return Fail("can't listen: the kernel watches no more descriptors");
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() { impl_->Close(); }

const ListenGroup& Listener::group() const { return *impl_->group; }

}  // namespace apiquota::net
