// The other ends of a proxy under test: blocking sockets with deadlines, for clients and for a scripted
// upstream.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace apiquota::net {

// One end of a connection. Reading gives up after ten seconds, so a test fails instead of hanging.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval deadline{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  Peer(Peer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        ssl_(std::exchange(other.ssl_, nullptr)),
        buffer_(std::move(other.buffer_)) {}
  ~Peer() { Close(); }

  static Peer Connect(uint16_t port, int receive_buffer = 0) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) abort();
    return Peer(fd);
  }

  bool AcceptTls(SSL_CTX* context) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    return SSL_accept(ssl_) == 1;
  }

  bool ConnectTls(SSL_CTX* context) {
    std::signal(SIGPIPE, SIG_IGN);
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }
  SSL* ssl() const { return ssl_; }

  void Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                        : send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<size_t>(n));
    }
  }

  // Up to and including `end`; what came so far if the connection ends first.
  std::string ReadUntil(std::string_view end) {
    size_t at;
    while ((at = buffer_.find(end)) == std::string::npos) {
      if (!Fill()) return std::exchange(buffer_, {});
    }
    return Take(at + end.size());
  }
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }
  std::string Read(size_t n) {
    while (buffer_.size() < n && Fill()) {
    }
    return Take(std::min(n, buffer_.size()));
  }
  std::string ReadAll() {
    while (Fill()) {
    }
    return std::exchange(buffer_, {});
  }
  // Whatever comes next in one piece.
  std::string ReadSome() {
    if (buffer_.empty()) Fill();
    return std::exchange(buffer_, {});
  }

  enum class End : uint8_t { kNone, kFin, kReset, kTimeout };
  End end() const { return end_; }
  bool AtEnd() { return ReadAll().empty() && (end_ == End::kFin || end_ == End::kReset); }

  void ShutdownSend() { shutdown(fd_, SHUT_WR); }
  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close();
  }
  void Close() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    Drop();
  }
  // Without TLS's close_notify.
  void Drop() {
    if (ssl_ != nullptr) SSL_free(std::exchange(ssl_, nullptr));
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }

 private:
  bool Fill() {
    char bytes[65536];
    const ssize_t n =
        ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) {
      buffer_.append(bytes, static_cast<size_t>(n));
      return true;
    }
    end_ = n == 0 ? End::kFin : (errno == EAGAIN ? End::kTimeout : End::kReset);
    return false;
  }
  std::string Take(size_t n) {
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }

  int fd_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  End end_ = End::kNone;
};

// Listens on a free loopback port and runs a script for every connection, each on a thread of its own.
class FakeUpstream {
 public:
  using Script = std::function<void(Peer&)>;

  explicit FakeUpstream(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_, 128) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~FakeUpstream() {
    shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    close(fd_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  uint16_t port() const { return port_; }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  size_t connections() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  void Accept() {
    for (int fd; (fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const std::lock_guard lock(mutex_);
      ++accepted_;
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Peer peer(fd);
        if (tls_ == nullptr || peer.AcceptTls(tls_)) script_(peer);
        const std::lock_guard closing(mutex_);
        std::erase(open_, fd);
        peer.Close();
      });
    }
  }

  Script script_;
  SSL_CTX* tls_;
  int fd_;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  size_t accepted_ = 0;  // guarded by mutex_, like all below
  std::vector<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace apiquota::net
