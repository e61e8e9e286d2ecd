// Reading and sending: the hot half of Stream.
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include "net/stream_impl.h"

namespace apiquota::net {

namespace {

constexpr size_t kPiecesMax = 16;            // of one gathered send; more are joined
constexpr size_t kJoinMax = 4 * 1024;        // copying so little costs less than the kernel's gathering it
constexpr size_t kRecordMax = 16 * 1024;     // of TLS: small pieces share one
constexpr size_t kKeepCapacity = 16 * 1024;  // an idle connection keeps no larger queue

size_t Join(std::span<const std::string_view> pieces, char* to) {
  size_t at = 0;
  for (const std::string_view piece : pieces) at += piece.copy(to + at, piece.size());
  return at;
}

ssize_t Gather(int socket, std::span<const std::string_view> pieces) {
  std::array<iovec, kPiecesMax> parts;
  for (size_t i = 0; i < pieces.size(); ++i) {
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

void Trim(std::string* queue) {
  queue->clear();
  if (queue->capacity() > kKeepCapacity) queue->shrink_to_fit();
}

}  // namespace

void Stream::Impl::ContinueReading() {
  if (reading && !ended && (readable || (tls && tls->stalled))) loop.Defer(*this);
}

void Stream::Impl::ReadOnce() {
  if (ended || handler == nullptr) return;
  // What has arrived comes before what comes next: the end, most of all.
  if (tls && std::exchange(tls->stalled, false)) return OnRecords();
  ReadBuffer& buffer = tls ? tls->records : in;
  const std::span<char> room = buffer.Prepare();
  if (room.empty()) return WaitForRoom();
  const ssize_t n = recv(socket.get(), room.data(), room.size(), 0);
  if (n < 0 && errno == EINTR) return ContinueReading();
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    readable = false;
    return;
  }
  if (n <= 0) {
    if (tls && tls->engine.state() == TlsState::kHandshaking) return End(StreamEnd::kHandshakeFailed);
    // A TLS peer that leaves without close_notify may have been cut off by somebody else.
    return End(n == 0 && !tls ? StreamEnd::kClosed : StreamEnd::kReset);
  }
  const auto got = static_cast<size_t>(n);
  readable = got == room.size() || hung_up;
  buffer.Commit(got);
  if (tls) return OnRecords();
  DeliverBytes();
  ContinueReading();
}

// `in` is full: its reader goes on by Resume.
void Stream::Impl::WaitForRoom() {
  if (write_failed) return End(StreamEnd::kReset);
  TellHangUp();
}

void Stream::Impl::DeliverBytes() {
  in_handler = true;
  handler->OnBytes();
  in_handler = false;
  if (reading) return;
  // A direction that waits for its reader holds what is unsent, and not a buffer for the next read beside it.
  in.Rest();
  if (tls) tls->records.Rest();
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
  if (opened) handler->OnOpen();
  if (got_bytes && !ended && handler != nullptr) DeliverBytes();
  if (ended) return;
  if (tls->stalled && !got_bytes) return WaitForRoom();
  switch (engine.state()) {
    case TlsState::kClosed:
      return End(StreamEnd::kClosed);
    case TlsState::kBadCertificate:
      return End(StreamEnd::kBadCertificate);
    case TlsState::kFailed:
      return End(handshaking && !opened ? StreamEnd::kHandshakeFailed : StreamEnd::kReset);
    default:
      ContinueReading();
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
  if (!sendable()) return;
  if (tls) {
    SendTls(pieces);
  } else {
    SendPlain(pieces);
  }
}

void Stream::Impl::SendPlain(std::span<const std::string_view> pieces) {
  const bool waiting = unsent() > 0;  // EPOLLOUT is due, or a turn
  const bool many = pieces.size() > kPiecesMax;
  size_t sent = waiting || many ? 0 : SendNow(pieces);
  if (write_failed) return;
  for (const std::string_view piece : pieces) {
    const size_t skip = std::min(sent, piece.size());
    out.append(piece.substr(skip));
    sent -= skip;
  }
  if (many && !waiting) loop.Defer(*this);
  if (unsent() > low_mark) above_low_mark = true;
}

// What the kernel takes; once it does not take all, EPOLLOUT tells when it will.
size_t Stream::Impl::SendNow(std::span<const std::string_view> pieces) {
  std::array<char, kJoinMax> joined;
  size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  ssize_t n = 0;
  if (pieces.size() == 1) {
    n = ::send(socket.get(), pieces[0].data(), total, MSG_NOSIGNAL);
  } else if (total <= joined.size()) {
    Join(pieces, joined.data());
    n = ::send(socket.get(), joined.data(), total, MSG_NOSIGNAL);
  } else {
    n = Gather(socket.get(), pieces);
  }
  if (n < 0) {
    if (errno == EINTR) loop.Defer(*this);
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) WriteFailed();
    return 0;
  }
  sent_total += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

// What the peer sent before it went away may still be unread: reading comes to the end by itself.
void Stream::Impl::WriteFailed() {
  write_failed = true;
  out.clear();
  out_at = 0;
  readable = hung_up = true;
  if (half_open) return loop.Defer(*this);
  if (in_handler) return;
  if (reading) return ContinueReading();
  EndLater(StreamEnd::kReset);
}

void Stream::Impl::SendTls(std::span<const std::string_view> pieces) {
  size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  bool written = true;
  if (pieces.size() > 1 && total <= kRecordMax) {
    std::array<char, kRecordMax> joined;
    written = tls->engine.Write({joined.data(), Join(pieces, joined.data())});
  } else {
    for (const std::string_view piece : pieces) written = written && tls->engine.Write(piece);
  }
  FlushRecords();
  if (!written) EndLater(StreamEnd::kReset);  // the socket is sound and would never tell
}

void Stream::Impl::FlushRecords() {
  std::string& output = tls->engine.output();
  if (output.empty() || write_failed || ended) return;
  const std::string_view pieces[] = {output};
  SendPlain(pieces);
  Trim(&output);
}

void Stream::Impl::SendQueued() {
  const std::string_view rest[] = {std::string_view(out).substr(out_at)};
  const size_t sent = SendNow(rest);
  if (write_failed || sent == 0) return;
  out_at += sent;
  if (unsent() == 0) {
    Trim(&out);
    out_at = 0;
    if (finish_wanted) Finish();
  } else {
    if (out_at > out.size() / 2) out.erase(0, std::exchange(out_at, 0));
    loop.Defer(*this);  // until the kernel takes nothing more
  }
  if (handler == nullptr || (unsent() > 0 && !(above_low_mark && unsent() <= low_mark))) return;
  above_low_mark = unsent() > low_mark;
  handler->OnDrained();
}

}  // namespace apiquota::net
