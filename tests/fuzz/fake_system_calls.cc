// The system calls of sockets, epoll and timers, defined by the fuzz target itself: descriptors of the fake
// kernel are answered from there, all others by the real one.
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/fake_kernel.h"

using apiquota::fuzz::CounterFile;
using apiquota::fuzz::EpollFile;
using apiquota::fuzz::FailingCall;
using apiquota::fuzz::FakeKernel;
using apiquota::fuzz::File;
using apiquota::fuzz::SocketFile;
using apiquota::fuzz::TimerFile;

namespace {

FakeKernel& Kernel() { return FakeKernel::Get(); }

template <typename T>
T Return(T result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// A descriptor of ours that is not open, or not what the call needs, is a mistake of the program: it stops.
template <typename T>
T& Must(int fd) {
  T* const file = Kernel().Find<T>(fd);
  if (file == nullptr) std::abort();
  return *file;
}

int GiveAddress(const sockaddr_storage& from, sockaddr* to, socklen_t* size) {
  const socklen_t own = from.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(to, &from, std::min(*size, own));
  *size = own;
  return 0;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming, readability-inconsistent-declaration-parameter-name): libc's
// names
extern "C" {

int socket(int domain, int type, int protocol) {
  if (!Kernel().on()) return static_cast<int>(syscall(SYS_socket, domain, type, protocol));
  if (const int error = Kernel().TakeFailure(FailingCall::kSocket)) return Return(-error);
  return Kernel().Open(std::make_unique<SocketFile>());
}

int bind(int fd, const sockaddr* address, socklen_t size) {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_bind, fd, address, size));
  std::memcpy(&Must<SocketFile>(fd).local, address, std::min<size_t>(size, sizeof(sockaddr_storage)));
  return 0;
}

int listen(int fd, int backlog) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_listen, fd, backlog));
  auto& socket = Must<SocketFile>(fd);
  socket.state = SocketFile::State::kListening;
  socket.backlog_max = static_cast<size_t>(backlog);
  return 0;
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_accept4, fd, address, size, flags));
  auto& listening = Must<SocketFile>(fd);
  if (listening.backlog.empty()) return Return(-EAGAIN);
  if (const int error = Kernel().TakeFailure(FailingCall::kAccept)) return Return(-error);
  auto socket = std::move(listening.backlog.front());
  listening.backlog.pop_front();
  if (address != nullptr) GiveAddress(socket->remote, address, size);
  return Kernel().Open(std::move(socket));
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_connect, fd, address, size));
  if (Kernel().connect_policy == apiquota::fuzz::ConnectPolicy::kUnreachable) return Return(-ENETUNREACH);
  Kernel().Connect(Must<SocketFile>(fd), address, size);
  return Return(-EINPROGRESS);
}

int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_getsockname, fd, address, size));
  return GiveAddress(Must<SocketFile>(fd).local, address, size);
}

int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_getpeername, fd, address, size));
  auto& socket = Must<SocketFile>(fd);
  if (socket.state != SocketFile::State::kOpen) return Return(-ENOTCONN);
  return GiveAddress(socket.remote, address, size);
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_setsockopt, fd, level, option, value, size));
  auto& socket = Must<SocketFile>(fd);
  if (level != SOL_SOCKET || option != SO_LINGER) return 0;
  linger how{};
  std::memcpy(&how, value, std::min<size_t>(size, sizeof how));
  socket.linger_zero = how.l_onoff != 0 && how.l_linger == 0;
  return 0;
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_getsockopt, fd, level, option, value, size));
  auto& socket = Must<SocketFile>(fd);
  const int result = level == SOL_SOCKET && option == SO_ERROR ? socket.TakeError() : 0;
  std::memcpy(value, &result, std::min<size_t>(*size, sizeof result));
  return 0;
}

ssize_t recv(int fd, void* to, size_t size, int flags) {
  if (!FakeKernel::Ours(fd)) return syscall(SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
  auto& socket = Must<SocketFile>(fd);
  if (const int error = Kernel().TakeFailure(FailingCall::kRecv)) return Return(static_cast<ssize_t>(-error));
  return Return(socket.Receive(static_cast<char*>(to), size, (flags & MSG_PEEK) != 0));
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  if (!FakeKernel::Ours(fd)) return syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
  if ((flags & MSG_NOSIGNAL) == 0) std::abort();  // a SIGPIPE would end the agent
  auto& socket = Must<SocketFile>(fd);
  if (const int error = Kernel().TakeFailure(FailingCall::kSend)) return Return(static_cast<ssize_t>(-error));
  return Return(socket.Send({static_cast<const char*>(from), size}));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (!FakeKernel::Ours(fd)) return syscall(SYS_sendmsg, fd, message, flags);
  std::string joined;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    joined.append(static_cast<const char*>(message->msg_iov[i].iov_base), message->msg_iov[i].iov_len);
  }
  return send(fd, joined.data(), joined.size(), flags);
}

int shutdown(int fd, int how) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_shutdown, fd, how));
  if (how != SHUT_WR) std::abort();
  return Return(Must<SocketFile>(fd).ShutdownSend());
}

int close(int fd) {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_close, fd));
  if (!Kernel().Close(fd)) std::abort();
  return 0;
}

ssize_t read(int fd, void* to, size_t size) {
  if (!FakeKernel::Ours(fd)) return syscall(SYS_read, fd, to, size);
  uint64_t value = 0;
  if (auto* timer = Kernel().Find<TimerFile>(fd)) value = std::exchange(timer->expiries, 0);
  if (auto* counter = Kernel().Find<CounterFile>(fd)) value = std::exchange(counter->count, 0);
  if (value == 0) return Return(static_cast<ssize_t>(-EAGAIN));
  std::memcpy(to, &value, sizeof value);
  return sizeof value;
}

ssize_t write(int fd, const void* from, size_t size) {
  if (!FakeKernel::Ours(fd)) return syscall(SYS_write, fd, from, size);
  auto& counter = Must<CounterFile>(fd);
  uint64_t value = 0;
  std::memcpy(&value, from, std::min(size, sizeof value));
  counter.count += value;
  counter.Wake(EPOLLIN);
  return static_cast<ssize_t>(size);
}

int eventfd(unsigned int initial, int flags) noexcept {
  if (!Kernel().on()) return static_cast<int>(syscall(SYS_eventfd2, initial, flags));
  return Kernel().Open(std::make_unique<CounterFile>());
}

int timerfd_create(clockid_t clock, int flags) noexcept {
  if (!Kernel().on()) return static_cast<int>(syscall(SYS_timerfd_create, clock, flags));
  return Kernel().Open(std::make_unique<TimerFile>());
}

int timerfd_settime(int fd, int flags, const itimerspec* wanted, itimerspec* old) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_timerfd_settime, fd, flags, wanted, old));
  auto& timer = Must<TimerFile>(fd);
  const auto delay =
      std::chrono::seconds(wanted->it_value.tv_sec) + std::chrono::nanoseconds(wanted->it_value.tv_nsec);
  timer.expiries = 0;
  timer.due.reset();
  if (delay.count() > 0) timer.due = Kernel().now() + delay;
  return 0;
}

int epoll_create1(int flags) noexcept {
  if (!Kernel().on()) return static_cast<int>(syscall(SYS_epoll_create1, flags));
  return Kernel().Open(std::make_unique<EpollFile>());
}

int epoll_ctl(int fd, int operation, int target, epoll_event* event) noexcept {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_epoll_ctl, fd, operation, target, event));
  File* const file = Kernel().Find<File>(target);
  if (file == nullptr) return Return(-EBADF);
  if (operation == EPOLL_CTL_ADD) {
    if (const int error = Kernel().TakeFailure(FailingCall::kWatch)) return Return(-error);
  }
  return Return(Must<EpollFile>(fd).Control(operation, target, *file, event));
}

int epoll_wait(int fd, epoll_event* events, int max, int timeout) {
  if (!FakeKernel::Ours(fd)) return static_cast<int>(syscall(SYS_epoll_wait, fd, events, max, timeout));
  const int told = Must<EpollFile>(fd).Wait(events, max);
  if (told == 0 && timeout != 0) std::abort();  // nobody else could end this wait
  return told;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming, readability-inconsistent-declaration-parameter-name)
