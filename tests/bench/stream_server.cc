// The upstream: every connection gets its chunks at its own pace, each with the time it left at.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "tests/bench/stream_load.h"

namespace apiquota::bench {
namespace {

constexpr int64_t kMillis = 1'000'000;
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-reset-requests: 6ms\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

class StreamServer {
 public:
  explicit StreamServer(const StreamPlan& plan) : plan_(plan) {}

  bool Listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 4096) != 0)
      return false;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Watch(listener_);
    return true;
  }

  void Run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), events.size(), WaitMillis());
      for (int i = 0; i < n; ++i) {
        if (events[i].data.fd == listener_) {
          Accept();
        } else {
          Read(events[i].data.fd);
        }
      }
      SendDue();
    }
  }

 private:
  struct Due {
    int64_t at;
    int fd;
    uint64_t request;
  };
  struct Stream {
    uint64_t request = 0;  // which request of the process; 0: between requests
    int left = 0;
    std::string head;  // of the request, as far as it has come
  };

  void Watch(int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void Accept() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      streams_[fd] = {};
      Watch(fd);
    }
  }

  void Read(int fd) {
    std::array<char, 8192> buffer;
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      streams_.erase(fd);
      close(fd);
      return;
    }
    Stream& stream = streams_[fd];
    stream.head.append(buffer.data(), static_cast<size_t>(n));
    if (!stream.head.ends_with("\r\n\r\n")) return;
    stream = {.request = ++requests_, .left = plan_.chunks, .head = {}};
    Send(fd, kHead);
    due_.push_back({NowNanos() + plan_.interval_ms * kMillis, fd, stream.request});
  }

  // Chunks are far smaller than a socket's buffer: one that is full means a client that stopped reading.
  static void Send(int fd, std::string_view bytes) {
    [[maybe_unused]] const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  // Every stream has the same interval, so the queue is in order of time.
  void SendDue() {
    while (!due_.empty() && due_.front().at <= NowNanos()) {
      const Due due = due_.front();
      due_.pop_front();
      const auto found = streams_.find(due.fd);
      if (found == streams_.end() || found->second.request != due.request) continue;
      Stream& stream = found->second;
      std::string data = fmt::format("data: {} ", NowNanos());
      data.resize(static_cast<size_t>(plan_.chunk_bytes) - 2, 'x');
      data += "\n\n";
      const bool last = --stream.left == 0;
      Send(due.fd, fmt::format("{:x}\r\n{}\r\n{}", data.size(), data, last ? "0\r\n\r\n" : ""));
      if (last) {
        stream.request = 0;
      } else {
        due_.push_back({due.at + plan_.interval_ms * kMillis, due.fd, due.request});
      }
    }
  }

  int WaitMillis() const {
    if (due_.empty()) return 1000;
    const int64_t wait = due_.front().at - NowNanos();
    return wait <= 0 ? 0 : static_cast<int>((wait + kMillis - 1) / kMillis);
  }

  const StreamPlan plan_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  uint64_t requests_ = 0;
  std::unordered_map<int, Stream> streams_;
  std::deque<Due> due_;
};

}  // namespace

int64_t NowNanos() { return RealClock().SteadyNow().time_since_epoch().count(); }

int ServeStreams(const StreamPlan& plan) {
  StreamServer server(plan);
  if (!server.Listen()) return 1;
  server.Run();
  return 0;
}

}  // namespace apiquota::bench
