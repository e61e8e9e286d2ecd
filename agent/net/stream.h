// A connection, plain or TLS, as the proxy sees it: bytes that have arrived, and a queue of bytes
// to send. Reading is armed all the time (unless paused), so the end of a connection is seen at
// once. Belongs to one loop.
//
// Handlers are called from the loop, never from inside a call to the stream; a handler may close or
// destroy the stream, and after that hears nothing more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/descriptor_reserve.h"
#include "net/loop.h"
#include "net/tls_engine.h"

namespace apiquota::net {

enum class StreamEnd : uint8_t {
  kClosed,           // the peer ended it properly: FIN, over TLS after close_notify
  kReset,            // cut: RST, timeout of the kernel, TLS without close_notify
  kRefused,          // no connection came about: the peer said no
  kUnreachable,      // … no route to it
  kConnectTimeout,   // … the kernel gave up
  kLocalLimit,       // … this machine has no descriptor, port or memory left for it
  kBadCertificate,   // TLS: chain, name or dates
  kHandshakeFailed,  // TLS: anything else
};

class StreamHandler {
 public:
  virtual void OnOpen() {}                // Connect(), StartTls() or StartTlsServer() is through
  virtual void OnBytes() = 0;             // input() has grown
  virtual void OnEnd(StreamEnd end) = 0;  // once; what input() still holds stays readable
  virtual void OnDrained() {}             // unsent() came down to the low mark, or to 0
  // The peer has ended its side, and what it sent before can't be read now: the stream is paused, or input()
  // is full. OnEnd still follows when all has been read. After OnEnd(kClosed) of a stream that may be half
  // open: nothing more can be sent either.
  virtual void OnHangUp() {}

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  struct Impl;

  explicit Stream(Loop& loop);      // not connected yet
  explicit Stream(Impl* accepted);  // by Listener: connected
  ~Stream();                        // Close()
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  void SetHandler(StreamHandler* handler);

  // OnOpen or OnEnd follows.
  void Connect(const Endpoint& endpoint, Reserve reserve = Reserve::kLeaves);
  // After OnOpen: the client's half of a handshake, then OnOpen again or OnEnd. See TlsEngine for
  // the arguments.
  void StartTls(const TlsClient& client, const std::string& host, TlsSession* session);
  // On an accepted stream, before anything was read: the server's half. Who reads sees plain bytes only, and
  // OnOpen once the handshake is done.
  void StartTlsServer(const TlsContext& context);

  // Bytes read and not consumed. Views stay valid until OnBytes returns; elsewhere, until Resume().
  std::string_view input() const;
  void Consume(size_t n);

  // At most 32 KiB, or what SetInputLimit says if that is more, wait in input(): then reading rests until
  // OnBytes has consumed some, or Resume() is called.
  void SetInputLimit(size_t bytes);
  // The connection is idle: memory that a large message took is given back, if input() is empty. Invalidates
  // views of what was consumed.
  void ShrinkInput();
  void Resume();
  void Pause();
  bool paused() const;

  // Sends what the kernel takes now, in one call for all pieces, and queues the rest. Nothing is
  // sent on a connection that has ended; OnEnd tells.
  void Write(std::span<const std::string_view> pieces);
  void Write(std::initializer_list<std::string_view> pieces) {
    Write(std::span(pieces.begin(), pieces.size()));
  }
  size_t unsent() const;
  uint64_t sent() const;  // bytes the kernel has taken so far
  void SetLowMark(size_t bytes);

  // From now on the end of the peer's side alone (kClosed) leaves ours open: what is sent still leaves. Not
  // over TLS, whose close_notify ends both ways. And a reset is told at once, also while paused; over TLS,
  // too.
  void AllowHalfOpen();
  bool sendable() const;  // so far as is known

  std::string_view tls_failure() const;  // why it has ended, if TLS is why

  bool open() const;
  // Open, nothing of input() or of the kernel's unread, and no end behind it: so far as is known from the
  // loop's last turn, or by asking the kernel now.
  enum class Look : uint8_t { kKnown, kAskKernel };
  bool quiet(Look look) const;
  Endpoint peer() const;  // of a Unix socket: loopback

  void ShutdownSend();  // FIN once everything is sent (close_notify before it)
  void Close();         // at once: what is unsent is lost
  void Reset();         // at once, with a RST
  // However the socket is closed from now on, by the end of the process too, the peer gets a RST.
  void ResetOnClose(bool on);

 private:
  Impl* impl_;
};

}  // namespace apiquota::net
