// The socket's side of Stream; only stream*.cc and listener.cc include it.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "net/read_buffer.h"
#include "net/stream.h"

namespace apiquota::net {

// Watched for changes only (EPOLLET), reads and writes alike, from its first event to its last. A read that
// fills less than its room has taken all there was, unless the peer has hung up, which events tell
// (EPOLLRDHUP): so no read is made just to find nothing.
//
// Kept alive by its Stream and by the handler that runs; counted without atomics, as it lives on one loop.
struct Stream::Impl final : EventHandler, Deferred {
  explicit Impl(Loop& owner) : loop(owner) {}
  Impl(Loop& owner, Descriptor accepted);

  void OnEvents(uint32_t events) override;
  void OnTurn() override;

  void Connect(const Endpoint& endpoint, Reserve reserve);
  void OnConnected();
  void ContinueReading();  // as far as it is wanted, in the loop's next turn
  void ReadOnce();
  void OnRecords();
  bool PumpTls();
  void DeliverBytes();
  void TellHangUp();
  void OnHalfOpenEvents(uint32_t events);
  void LoseHalf();

  void Send(std::span<const std::string_view> pieces);
  void SendPlain(std::span<const std::string_view> pieces);
  size_t SendNow(std::span<const std::string_view> pieces);
  void SendTls(std::span<const std::string_view> pieces);
  void FlushRecords();
  void SendQueued();
  void WriteFailed();
  void WaitForRoom();
  void Finish();

  size_t unsent() const { return out.size() - out_at; }
  bool sendable() const { return connected && !write_failed && (!ended || half_open); }
  void End(StreamEnd end);
  void EndLater(StreamEnd end);
  void CloseSocket();

  int references = 0;
  Loop& loop;
  Descriptor socket;
  StreamHandler* handler = nullptr;
  bool connected = false;
  bool ended = false;     // OnEnd was delivered or the socket is closed
  bool reading = false;   // wanted
  bool readable = false;  // the kernel may hold more
  bool hung_up = false;   // … and an end behind it,
  bool broken = false;    // … which is a reset
  bool hang_up_told = false;
  bool tells_resets = false;  // also while nothing is read
  bool may_be_half_open = false;
  bool half_open = false;   // ended, and our side is not
  bool in_handler = false;  // OnBytes is running: the bytes must not move
  bool write_failed = false;
  bool finish_wanted = false;
  std::optional<StreamEnd> end_due;

  ReadBuffer in;
  std::string out;  // what the kernel would not take yet, from out_at on
  size_t out_at = 0;
  uint64_t sent_total = 0;
  size_t low_mark = 0;
  bool above_low_mark = false;

  struct Tls {
    Tls(const TlsClient& client, const std::string& host, TlsSession* session)
        : engine(client, host, session) {}
    explicit Tls(const TlsContext& server) : engine(server) {}
    TlsEngine engine;
    ReadBuffer records;
    bool stalled = false;  // records, or bytes taken out of them, wait because `in` is full
  };
  std::unique_ptr<Tls> tls;
};

inline void intrusive_ptr_add_ref(Stream::Impl* impl) { ++impl->references; }
inline void intrusive_ptr_release(Stream::Impl* impl) {
  if (--impl->references == 0) delete impl;
}
using StreamPtr = boost::intrusive_ptr<Stream::Impl>;

}  // namespace apiquota::net
