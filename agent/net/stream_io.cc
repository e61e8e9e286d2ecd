// Reading and sending: the hot half of Stream.
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>

#include "net/stream_impl.h"

namespace apiquota::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kPiecesMax = 16;            // of one gathered send; more are joined
constexpr size_t kRecordMax = 16 * 1024;     // of TLS: small pieces share one
constexpr size_t kKeepCapacity = 16 * 1024;  // an idle connection keeps no larger queue

void Trim(std::string* queue) {
  queue->clear();
  if (queue->capacity() > kKeepCapacity) queue->shrink_to_fit();
}

}  // namespace

void Stream::Impl::StartRead() {
  if (tls && tls->stalled) {
    // Plain bytes are waiting inside; deliver them from the loop, not from inside a call.
    tls->stalled = false;
    read_armed = true;
    asio::post(socket.get_executor(), [impl = StreamPtr(this)] {
      impl->read_armed = false;
      if (!impl->ended) impl->OnRecords();
    });
    return;
  }
  ReadBuffer& buffer = tls ? tls->records : in;
  const std::span<char> room = buffer.Prepare();
  if (room.empty()) return;
  read_armed = true;
  socket.async_read_some(asio::buffer(room.data(), room.size()),
                         [impl = StreamPtr(this)](const boost::system::error_code& error, size_t n) {
                           impl->OnRead(n, static_cast<bool>(error), error == asio::error::eof);
                         });
}

void Stream::Impl::OnRead(size_t n, bool failed, bool eof) {
  read_armed = false;
  if (ended || handler == nullptr) return;
  if (failed) {
    if (tls && tls->engine.state() == TlsState::kHandshaking) return End(StreamEnd::kHandshakeFailed);
    // A TLS peer that leaves without close_notify may have been cut off by somebody else.
    return End(eof && !tls ? StreamEnd::kClosed : StreamEnd::kReset);
  }
  if (tls) {
    tls->records.Commit(n);
    return OnRecords();
  }
  in.Commit(n);
  DeliverBytes();
  if (reading && !ended && !read_armed) StartRead();
}

void Stream::Impl::DeliverBytes() {
  in_handler = true;
  handler->OnBytes();
  in_handler = false;
}

void Stream::Impl::OnRecords() {
  TlsEngine& engine = tls->engine;
  const std::string_view records = tls->records.view();
  engine.Put(records);
  bool opened = false;
  const bool handshaking = engine.state() == TlsState::kHandshaking;
  if (handshaking) {
    engine.Handshake();
    opened = engine.state() == TlsState::kOpen;
  }
  const bool got_bytes = PumpTls();
  tls->records.Consume(records.size() - engine.unread());
  engine.Put({});
  FlushRecords();
  const StreamPtr self(this);  // handlers may destroy the stream
  if (opened) handler->OnOpen();
  if (got_bytes && !ended && handler != nullptr) DeliverBytes();
  if (ended) return;
  switch (engine.state()) {
    case TlsState::kClosed:
      return End(StreamEnd::kClosed);
    case TlsState::kBadCertificate:
      return End(StreamEnd::kBadCertificate);
    case TlsState::kFailed:
      return End(handshaking && !opened ? StreamEnd::kHandshakeFailed : StreamEnd::kReset);
    default:
      if (reading && !read_armed) StartRead();
  }
}

bool Stream::Impl::PumpTls() {
  bool got_bytes = false;
  while (tls->engine.state() == TlsState::kOpen) {
    const std::span<char> room = in.Prepare();
    if (room.empty()) {
      tls->stalled = true;
      break;
    }
    const size_t n = tls->engine.Read(room);
    if (n == 0) break;
    in.Commit(n);
    got_bytes = true;
    if (n < room.size() && tls->engine.unread() == 0) break;  // nothing is left to find
  }
  return got_bytes;
}

void Stream::Impl::Send(std::span<const std::string_view> pieces) {
  if (ended || write_failed || !connected) return;
  if (tls) {
    SendTls(pieces);
  } else {
    SendPlain(pieces);
  }
}

void Stream::Impl::SendPlain(std::span<const std::string_view> pieces) {
  size_t sent = 0;
  if (!writing && out.empty() && pieces.size() <= kPiecesMax) {
    std::array<iovec, kPiecesMax> parts;
    for (size_t i = 0; i < pieces.size(); ++i) {
      parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = pieces.size();
    // The kernel takes one piece faster without the detour.
    const ssize_t n = pieces.size() == 1
                          ? ::send(socket.native_handle(), pieces[0].data(), pieces[0].size(), kFlags)
                          : ::sendmsg(socket.native_handle(), &message, kFlags);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      return WriteFailed();
    }
    sent = n < 0 ? 0 : static_cast<size_t>(n);
    sent_total += sent;
  }
  std::string& queue = writing ? queued : out;
  for (const std::string_view piece : pieces) {
    const size_t skip = std::min(sent, piece.size());
    queue.append(piece.substr(skip));
    sent -= skip;
  }
  if (!writing && !out.empty()) StartWrite();
  if (out.size() - out_at + queued.size() > low_mark) above_low_mark = true;
}

// What the peer sent before it went away may still be unread: an armed read comes to the end by
// itself.
void Stream::Impl::WriteFailed() {
  write_failed = true;
  out.clear();
  queued.clear();
  out_at = 0;
  if (!read_armed && !in_handler) EndLater(StreamEnd::kReset);
}

void Stream::Impl::SendTls(std::span<const std::string_view> pieces) {
  size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  if (pieces.size() > 1 && total <= kRecordMax) {
    std::array<char, kRecordMax> joined;
    size_t at = 0;
    for (const std::string_view piece : pieces) at += piece.copy(joined.data() + at, piece.size());
    tls->engine.Write({joined.data(), total});
  } else {
    for (const std::string_view piece : pieces) tls->engine.Write(piece);
  }
  FlushRecords();
}

void Stream::Impl::FlushRecords() {
  std::string& output = tls->engine.output();
  if (output.empty() || write_failed || ended) return;
  const std::string_view pieces[] = {output};
  SendPlain(pieces);
  Trim(&output);
}

void Stream::Impl::StartWrite() {
  writing = true;
  socket.async_write_some(asio::buffer(out.data() + out_at, out.size() - out_at),
                          [impl = StreamPtr(this)](const boost::system::error_code& error, size_t n) {
                            impl->OnWritten(n, static_cast<bool>(error));
                          });
}

void Stream::Impl::OnWritten(size_t n, bool failed) {
  writing = false;
  if (ended) return;
  if (failed) return WriteFailed();
  out_at += n;
  sent_total += n;
  if (out_at == out.size()) {
    Trim(&out);
    out_at = 0;
    out.swap(queued);
  }
  const size_t unsent = out.size() - out_at + queued.size();
  if (unsent > 0) {
    StartWrite();
  } else if (finish_wanted) {
    Finish();
  }
  if (handler != nullptr && (unsent == 0 || (above_low_mark && unsent <= low_mark))) {
    above_low_mark = unsent > low_mark;
    handler->OnDrained();
  }
}

}  // namespace apiquota::net
