// A small kernel in memory, for fuzzing what lives on sockets: stream sockets with bounded buffers, epoll
// with Linux's edges and levels, timerfd and eventfd, all in virtual time and always in the same order.
// fake_system_calls.cc answers the program's system calls from it; a script holds the other ends (FakePeer).
//
// As Linux has it: a wake reports all that is true at epoll_wait; EPOLLOUT returns once a full buffer has a
// third free; a FIN stands behind the bytes sent before it; a close with unread bytes, or bytes to a closed
// socket, are a RST; what had arrived before a RST can still be read; a descriptor's number is used again at
// once. One thread; one kernel at a time. Times are of its own clock, which only AdvanceTo moves.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace apiquota::fuzz {

class SocketFile;

// The far end of one of the program's connections.
class FakePeer {
 public:
  // Beyond what fits into the program's buffer, they wait. False: nobody will ever read them.
  bool Send(std::string_view bytes);
  std::string Read(size_t max);
  void ShutdownSend();  // FIN, behind the bytes that wait
  void Close();         // … or RST, if something is unread
  void Reset();

  size_t readable() const { return inbox_.size(); }
  bool fin_told() const;                                     // our FIN has arrived at the program
  bool reset_told() const;                                   // … or our RST
  bool ended() const { return saw_fin_ && inbox_.empty(); }  // the program has ended its side
  bool saw_reset() const { return saw_reset_; }
  bool closed() const { return closed_; }
  bool attached() const { return socket_ != nullptr; }  // the program still holds its descriptor
  size_t held() const { return inbox_.capacity() + outbox_.capacity(); }  // bytes of memory

 private:
  friend class SocketFile;
  friend class FakeKernel;

  void Pump();

  SocketFile* socket_ = nullptr;
  size_t inbox_max_ = 0;
  std::string inbox_, outbox_;
  bool fin_wanted_ = false, closed_ = false, saw_fin_ = false, saw_reset_ = false;
};
using FakePeerPtr = std::shared_ptr<FakePeer>;

struct EpollItem;

// What a descriptor of the program stands for.
class File {
 public:
  virtual ~File();
  virtual uint32_t Poll() = 0;  // EPOLLIN …
  void Wake(uint32_t key);      // tells whoever watches for one of `key`; 0: everybody

  std::vector<EpollItem*> watchers;
};

enum class ConnectPolicy : uint8_t { kAccept, kRefuse, kHang, kUnreachable };
enum class FailingCall : uint8_t { kSocket, kAccept, kRecv, kSend, kWatch };

class FakeKernel {
 public:
  static FakeKernel& Get();

  void Boot();      // nothing is open; calls of this program come here from now on
  void PowerOff();  // … and go to the real kernel again
  bool on() const { return on_; }

  SteadyTime now() const { return now_; }
  void AdvanceTo(SteadyTime time);
  uint64_t moved = 0;  // bytes that the program has received or sent
  std::optional<SteadyTime> NextTimer() const;

  // To a listening socket of the program; null if nobody listens or its queue is full. `buffer`: of each
  // direction.
  FakePeerPtr ConnectTo(uint16_t port, uint32_t from_ipv4, size_t buffer);

  // Connections that the program makes: what becomes of the next ones, and who holds their far ends.
  ConnectPolicy connect_policy = ConnectPolicy::kAccept;
  size_t connect_buffer = 64 * 1024;
  std::function<void(FakePeerPtr)> on_connected;
  void LetHangingThrough();

  // The next such call fails, once.
  void FailNext(FailingCall call, int error) { failing_[call] = error; }
  int TakeFailure(FailingCall call);  // 0: none
  void ForgetFailures() { failing_.clear(); }

  // For fake_system_calls.cc. Descriptors of ours begin at kBase, above the real
  // ones and far below the reserve (net/descriptor_reserve.h); null: not one of them.
  static constexpr int kBase = 256;
  static bool Ours(int fd) { return fd >= kBase; }
  int Open(std::unique_ptr<File> file);
  bool Close(int fd);
  template <typename T>
  T* Find(int fd) {
    const auto index = static_cast<size_t>(fd - kBase);
    return index < files_.size() ? dynamic_cast<T*>(files_[index].get()) : nullptr;
  }
  void Connect(SocketFile& socket, const sockaddr* address, socklen_t size);
  size_t HeldBytes() const;  // of memory, by what has arrived and is not read
  template <typename T>
  size_t CountOpen() {
    size_t count = 0;
    for (const auto& file : files_) count += dynamic_cast<T*>(file.get()) != nullptr;
    return count;
  }

 private:
  void Establish(SocketFile& socket);

  bool on_ = false;
  SteadyTime now_{};
  std::vector<std::unique_ptr<File>> files_;
  std::map<FailingCall, int> failing_;
};

class SocketFile final : public File {
 public:
  enum class State : uint8_t { kNew, kListening, kConnecting, kOpen, kClosed };

  ~SocketFile() override;
  uint32_t Poll() override;

  // Results as of the system calls, errors as -errno.
  ssize_t Receive(char* to, size_t size, bool peek);
  ssize_t Send(std::string_view bytes);
  int ShutdownSend();
  int TakeError() { return std::exchange(error, 0); }

  void Attach(FakePeerPtr to, size_t buffer);
  void ResetArrived();
  void FailConnect(int reason);

  State state = State::kNew;
  sockaddr_storage local{}, remote{};
  std::deque<std::unique_ptr<SocketFile>> backlog;  // of a listening socket
  size_t backlog_max = 0;
  bool linger_zero = false;
  bool hanging = false;  // its SYN is answered by nobody
  size_t held() const { return in.capacity(); }

 private:
  friend class FakePeer;
  bool writable() const { return peer->inbox_.size() <= peer->inbox_max_ - peer->inbox_max_ / 3; }

  FakePeerPtr peer;
  std::string in;  // arrived, unread
  size_t in_max = 0;
  bool fin_in = false, shut = false, no_space = false;
  int error = 0;
};

class EpollFile final : public File {
 public:
  ~EpollFile() override;
  uint32_t Poll() override { return ready.empty() ? 0U : EPOLLIN; }
  int Control(int operation, int fd, File& file, const epoll_event* event);
  int Wait(epoll_event* events, int max);

  std::map<int, std::unique_ptr<EpollItem>> items;
  std::deque<EpollItem*> ready;
};

struct EpollItem {
  EpollFile& owner;
  int fd;
  File& file;
  epoll_event event;
  bool queued = false;

  void Queue();
};

class TimerFile final : public File {
 public:
  uint32_t Poll() override { return expiries > 0 ? EPOLLIN : 0U; }
  std::optional<SteadyTime> due;
  uint64_t expiries = 0;
};

class CounterFile final : public File {  // eventfd
 public:
  uint32_t Poll() override { return (count > 0 ? EPOLLIN : 0U) | EPOLLOUT; }
  uint64_t count = 0;
};

}  // namespace apiquota::fuzz
