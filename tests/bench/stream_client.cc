// The clients: streams that begin spread over a ramp, and the lateness of each chunk that comes.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "tests/bench/stream_load.h"

namespace apiquota::bench {
namespace {

constexpr int64_t kMillis = 1'000'000;
constexpr std::string_view kMark = "data: ";

class StreamClients {
 public:
  explicit StreamClients(const StreamPlan& plan) : plan_(plan), streams_(static_cast<size_t>(plan.streams)) {}

  void Run() {
    const int64_t began = NowNanos();
    // What a stream takes, and as long again for a proxy that is late.
    const int64_t span = plan_.ramp_ms + plan_.chunks * static_cast<int64_t>(plan_.interval_ms);
    const int64_t deadline = began + (2 * span + 5000) * kMillis;
    std::array<epoll_event, 256> events;
    while (done_ < streams_.size() && NowNanos() < deadline) {
      const int64_t passed = NowNanos() - began;
      while (begun_ < streams_.size() && passed >= BeginsAt(begun_)) Begin(begun_++);
      const int n = epoll_wait(epoll_, events.data(), events.size(), begun_ < streams_.size() ? 1 : 100);
      for (int i = 0; i < n; ++i) Read(streams_[events[i].data.u32]);
    }
  }

  void Report() {
    std::ranges::sort(late_);
    const auto at = [this](double share) {
      if (late_.empty()) return 0.0;
      const auto index = static_cast<size_t>(share * static_cast<double>(late_.size() - 1));
      return static_cast<double>(late_[index]) / kMillis;
    };
    const size_t expected = streams_.size() * static_cast<size_t>(plan_.chunks);
    fmt::print(R"({{"streams": {}, "whole": {}, "chunks": {}, "expected": {}, )", streams_.size(), whole_,
               late_.size(), expected);
    fmt::print(R"("p50_ms": {:.4f}, "p99_ms": {:.4f}, "max_ms": {:.4f}}})"
               "\n",
               at(0.5), at(0.99), at(1));
  }

 private:
  struct Stream {
    int fd = -1;
    int chunks = 0;
    std::string rest;  // bytes behind the last whole event
  };

  int64_t BeginsAt(size_t index) const {
    return static_cast<int64_t>(index) * plan_.ramp_ms * kMillis / plan_.streams;
  }

  void Begin(size_t index) {
    Stream& stream = streams_[index];
    stream.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(stream.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return End(stream);
    const std::string request =
        fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", plan_.path);
    if (send(stream.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return End(stream);
    epoll_event event{.events = EPOLLIN, .data = {.u32 = static_cast<uint32_t>(index)}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, stream.fd, &event);
  }

  void End(Stream& stream) {
    close(stream.fd);
    stream.fd = -1;
    ++done_;
  }

  void Read(Stream& stream) {
    std::array<char, 16384> buffer;
    const ssize_t n = recv(stream.fd, buffer.data(), buffer.size(), 0);
    const int64_t now = NowNanos();
    if (n <= 0) return End(stream);
    stream.rest.append(buffer.data(), static_cast<size_t>(n));
    TakeEvents(stream, now);
    if (stream.chunks < plan_.chunks) return;
    ++whole_;
    End(stream);
  }

  void TakeEvents(Stream& stream, int64_t now) {
    size_t used = 0;
    for (;;) {
      const size_t mark = stream.rest.find(kMark, used);
      if (mark == std::string::npos) break;
      const size_t end = stream.rest.find("\n\n", mark);
      if (end == std::string::npos) break;
      int64_t sent = 0;
      const char* const from = stream.rest.data() + mark + kMark.size();
      std::from_chars(from, stream.rest.data() + end, sent);
      late_.push_back(now - sent);
      ++stream.chunks;
      used = end + 2;
    }
    stream.rest.erase(0, used);
  }

  const StreamPlan plan_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Stream> streams_;
  std::vector<int64_t> late_;
  size_t begun_ = 0;
  size_t done_ = 0;
  size_t whole_ = 0;
};

}  // namespace

int LoadStreams(const StreamPlan& plan) {
  StreamClients clients(plan);
  clients.Run();
  clients.Report();
  return 0;
}

}  // namespace apiquota::bench
