#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/connect_end.h"
#include "net/descriptor_reserve.h"
#include "net/socket_address.h"
#include "net/stream_impl.h"
#include "net/tcp_options.h"

namespace apiquota::net {
namespace {

constexpr uint32_t kWatched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

Stream::Stream(Loop& loop) : Stream(new Impl(loop)) {}
Stream::Stream(Impl* accepted) : impl_(accepted) { intrusive_ptr_add_ref(impl_); }

Stream::~Stream() {
  if (impl_ == nullptr) return;
  Close();
  intrusive_ptr_release(impl_);
}

Stream::Stream(Stream&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

void Stream::SetHandler(StreamHandler* handler) { impl_->handler = handler; }

void Stream::Connect(const Endpoint& endpoint, Reserve reserve) { impl_->Connect(endpoint, reserve); }

void Stream::StartTls(const TlsClient& client, const std::string& host, TlsSession* session) {
  impl_->tls = std::make_unique<Impl::Tls>(client, host, session);
  impl_->tls->engine.Handshake();
  impl_->FlushRecords();
  Resume();
}

void Stream::StartTlsServer(const TlsContext& context) {
  impl_->tls = std::make_unique<Impl::Tls>(context);
  Resume();
}

std::string_view Stream::input() const { return impl_->in.view(); }

void Stream::Consume(size_t n) { impl_->in.Consume(n); }

void Stream::SetInputLimit(size_t bytes) { impl_->in.SetLimit(bytes); }

void Stream::ShrinkInput() {
  impl_->in.Shrink();
  if (impl_->tls) impl_->tls->records.Shrink();
}

void Stream::Resume() {
  impl_->reading = true;
  if (!impl_->in_handler) impl_->ContinueReading();
}

void Stream::Pause() {
  impl_->reading = false;
  if (impl_->hung_up) impl_->loop.Defer(*impl_);
}
bool Stream::paused() const { return !impl_->reading; }

void Stream::Write(std::span<const std::string_view> pieces) { impl_->Send(pieces); }
size_t Stream::unsent() const { return impl_->unsent(); }
uint64_t Stream::sent() const { return impl_->sent_total; }
void Stream::SetLowMark(size_t bytes) { impl_->low_mark = bytes; }
void Stream::AllowHalfOpen() {
  impl_->may_be_half_open = !impl_->tls;
  impl_->tells_resets = true;
}
bool Stream::sendable() const { return impl_->sendable(); }
std::string_view Stream::tls_failure() const {
  return impl_->tls ? impl_->tls->engine.failure() : std::string_view();
}
bool Stream::open() const { return impl_->connected && !impl_->ended; }

bool Stream::quiet(Look look) const {
  const bool more = !impl_->in.view().empty() ||
                    (impl_->tls && (impl_->tls->stalled || !impl_->tls->records.view().empty()));
  if (!open() || impl_->write_failed || impl_->hung_up || more) return false;
  if (look == Look::kKnown) return true;
  char byte;
  return recv(impl_->socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Endpoint Stream::peer() const {
  SocketAddress address;
  if (getpeername(impl_->socket.get(), address.get(), &address.size) != 0) return {};
  if (address.storage.ss_family == AF_UNIX) return {.ip = {.v6 = false, .bytes = {127, 0, 0, 1}}, .port = 0};
  return FromSocketAddress(address.get());
}

void Stream::ShutdownSend() {
  if (impl_->tls) {
    impl_->tls->engine.Shutdown();
    impl_->FlushRecords();
  }
  impl_->finish_wanted = true;
  if (unsent() == 0) impl_->Finish();
}

void Stream::Close() {
  impl_->handler = nullptr;
  impl_->CloseSocket();
}

void Stream::Reset() {
  ResetOnClose(true);
  Close();
}

void Stream::ResetOnClose(bool on) {
  const linger choice{.l_onoff = on ? 1 : 0, .l_linger = 0};
  setsockopt(impl_->socket.get(), SOL_SOCKET, SO_LINGER, &choice, sizeof choice);
}

Stream::Impl::Impl(Loop& owner, Descriptor accepted)
    : loop(owner), socket(std::move(accepted)), connected(true) {
  if (!loop.Watch(socket.get(), kWatched, *this)) EndLater(StreamEnd::kReset);
}

void Stream::Impl::Connect(const Endpoint& endpoint, Reserve reserve) {
  const SocketAddress target = ToSocketAddress(endpoint);
  socket = Descriptor(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return EndLater(ConnectEnd(errno, endpoint.ip.v6));
  if (reserve == Reserve::kLeaves && InReserve(socket.get())) {
    WarnOfFewDescriptors();
    socket.Close();
    return EndLater(StreamEnd::kLocalLimit);
  }
  SetTcpOptions(socket.get());
  const int result = connect(socket.get(), target.get(), target.size);
  const bool begun = result == 0 || errno == EINPROGRESS || errno == EINTR;
  if (!begun || !loop.Watch(socket.get(), kWatched, *this)) EndLater(ConnectEnd(errno, endpoint.ip.v6));
}

void Stream::Impl::OnConnected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return End(ConnectEnd(error, false));
  connected = true;
  if (handler != nullptr) handler->OnOpen();
}

void Stream::Impl::OnEvents(uint32_t events) {
  const StreamPtr self(this);  // handlers may destroy the stream
  constexpr uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  readable = readable || (events & (EPOLLIN | kEnds)) != 0;
  hung_up = hung_up || (events & kEnds) != 0;
  broken = broken || (events & EPOLLERR) != 0;
  if (ended) return OnHalfOpenEvents(events);
  if (!connected) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) OnConnected();
    return ContinueReading();
  }
  if ((events & EPOLLOUT) != 0 && unsent() > 0) SendQueued();
  if (!readable || ended) return;
  if (reading) return ReadOnce();
  TellHangUp();
}

void Stream::Impl::OnHalfOpenEvents(uint32_t events) {
  if (!half_open) return;
  if ((events & EPOLLERR) != 0) return LoseHalf();
  if ((events & EPOLLOUT) != 0 && unsent() > 0) SendQueued();
}

void Stream::Impl::LoseHalf() {
  half_open = false;
  if (handler != nullptr) handler->OnHangUp();
}

// While nothing is read. The kernel says of a reset once, maybe when bytes before it are still being read.
void Stream::Impl::TellHangUp() {
  if (ended || handler == nullptr) return;
  if (tells_resets && broken) return End(StreamEnd::kReset);
  if (!hung_up || hang_up_told) return;
  hang_up_told = true;
  handler->OnHangUp();
}

void Stream::Impl::OnTurn() {
  const StreamPtr self(this);
  if (half_open && write_failed) return LoseHalf();
  if (end_due) return End(*end_due);
  if (unsent() > 0) SendQueued();
  if (ended) return;
  if (!reading) return TellHangUp();
  if (readable || (tls && tls->stalled)) ReadOnce();
}

void Stream::Impl::CloseSocket() {
  ended = true;
  half_open = false;
  Unlink();
  if (!socket.valid()) return;
  loop.Unwatch(socket.get(), *this);
  socket.Close();
}

void Stream::Impl::Finish() { shutdown(socket.get(), SHUT_WR); }

void Stream::Impl::End(StreamEnd end) {
  if (ended) return;
  ended = true;
  if (may_be_half_open && broken) end = StreamEnd::kReset;  // after a FIN: nothing can be sent any more
  half_open = may_be_half_open && end == StreamEnd::kClosed && !write_failed;
  if (handler != nullptr) handler->OnEnd(end);
}

void Stream::Impl::EndLater(StreamEnd end) {
  end_due = end;
  loop.Defer(*this);
}

}  // namespace apiquota::net
