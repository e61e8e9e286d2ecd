// The asio side of Stream; only stream*.cc and listener.cc include it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/read_buffer.h"
#include "net/stream.h"

namespace apiquota::net {

using TcpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// Kept alive by its Stream and by every operation under way; counted without atomics, as it lives
// on one loop.
struct Stream::Impl {
  explicit Impl(boost::asio::io_context& context) : socket(context) {}
  explicit Impl(TcpSocket accepted) : socket(std::move(accepted)), connected(true) {}

  void StartRead();
  void OnRead(size_t n, bool failed, bool eof);
  void OnRecords();
  bool PumpTls();
  void OnConnected(bool failed);
  void DeliverBytes();
  void WriteFailed();

  void Send(std::span<const std::string_view> pieces);
  void SendPlain(std::span<const std::string_view> pieces);
  void SendTls(std::span<const std::string_view> pieces);
  void FlushRecords();
  void StartWrite();
  void OnWritten(size_t n, bool failed);
  void Finish();

  void End(StreamEnd end);
  void EndLater(StreamEnd end);
  void CloseSocket();

  int references = 0;
  TcpSocket socket;
  StreamHandler* handler = nullptr;
  bool connected = false;
  bool ended = false;       // OnEnd was delivered or the socket is closed
  bool reading = false;     // wanted
  bool read_armed = false;  // under way
  bool in_handler = false;  // OnBytes is running: the bytes must not move
  bool writing = false;     // a send is under way
  bool write_failed = false;
  bool finish_wanted = false;

  ReadBuffer in;
  std::string out;  // being sent, from out_at on
  size_t out_at = 0;
  std::string queued;  // to be sent after `out`
  uint64_t sent_total = 0;
  size_t low_mark = 0;
  bool above_low_mark = false;

  struct Tls {
    Tls(const TlsClient& client, const std::string& host, TlsSession* session)
        : engine(client, host, session) {}
    TlsEngine engine;
    ReadBuffer records;
    bool stalled = false;  // plain bytes wait inside because `in` is full
  };
  std::unique_ptr<Tls> tls;
};

inline void intrusive_ptr_add_ref(Stream::Impl* impl) { ++impl->references; }
inline void intrusive_ptr_release(Stream::Impl* impl) {
  if (--impl->references == 0) delete impl;
}
using StreamPtr = boost::intrusive_ptr<Stream::Impl>;

}  // namespace apiquota::net
