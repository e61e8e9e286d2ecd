#include "net/stream.h"

#include <boost/asio/post.hpp>
#include <cstring>

#include "net/stream_impl.h"

namespace apiquota::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

tcp::endpoint ToAsio(const Endpoint& endpoint) {
  if (endpoint.ip.v6) return {asio::ip::address_v6(endpoint.ip.bytes), endpoint.port};
  asio::ip::address_v4::bytes_type bytes;
  std::memcpy(bytes.data(), endpoint.ip.bytes.data(), bytes.size());
  return {asio::ip::address_v4(bytes), endpoint.port};
}

Endpoint FromAsio(const tcp::endpoint& endpoint) {
  Endpoint out{.ip = {}, .port = endpoint.port()};
  out.ip.v6 = endpoint.address().is_v6();
  if (out.ip.v6) {
    out.ip.bytes = endpoint.address().to_v6().to_bytes();
  } else {
    const auto bytes = endpoint.address().to_v4().to_bytes();
    std::memcpy(out.ip.bytes.data(), bytes.data(), bytes.size());
  }
  return out;
}

}  // namespace

Stream::Stream(Loop& loop) : Stream(new Impl(loop.context())) {}
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

void Stream::Connect(const Endpoint& endpoint) {
  boost::system::error_code error;
  const tcp::endpoint target = ToAsio(endpoint);
  if (impl_->socket.is_open()) impl_->socket.close(error);
  impl_->socket.open(target.protocol(), error);
  if (error) return impl_->EndLater(StreamEnd::kConnectFailed);
  impl_->socket.set_option(tcp::no_delay(true), error);
  impl_->socket.async_connect(target, [impl = StreamPtr(impl_)](const boost::system::error_code& failed) {
    impl->OnConnected(static_cast<bool>(failed));
  });
}

void Stream::Impl::OnConnected(bool failed) {
  if (ended || handler == nullptr) return;
  if (failed) return End(StreamEnd::kConnectFailed);
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  connected = true;
  handler->OnOpen();
}

void Stream::StartTls(const TlsClient& client, const std::string& host, TlsSession* session) {
  impl_->tls = std::make_unique<Impl::Tls>(client, host, session);
  impl_->tls->engine.Handshake();
  impl_->FlushRecords();
  impl_->reading = true;
  impl_->StartRead();
}

std::string_view Stream::input() const { return impl_->in.view(); }

void Stream::Consume(size_t n) { impl_->in.Consume(n); }

void Stream::Resume() {
  impl_->reading = true;
  if (!impl_->in_handler && !impl_->read_armed && !impl_->ended) impl_->StartRead();
}

void Stream::Pause() { impl_->reading = false; }
bool Stream::paused() const { return !impl_->reading; }

void Stream::Write(std::span<const std::string_view> pieces) { impl_->Send(pieces); }
size_t Stream::unsent() const { return impl_->out.size() - impl_->out_at + impl_->queued.size(); }
uint64_t Stream::sent() const { return impl_->sent_total; }
void Stream::SetLowMark(size_t bytes) { impl_->low_mark = bytes; }
bool Stream::open() const { return impl_->connected && !impl_->ended; }

Endpoint Stream::peer() const {
  boost::system::error_code error;
  return FromAsio(impl_->socket.remote_endpoint(error));
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
  boost::system::error_code ignored;
  impl_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  Close();
}

void Stream::Impl::CloseSocket() {
  ended = true;
  boost::system::error_code ignored;
  socket.close(ignored);
}

void Stream::Impl::Finish() {
  boost::system::error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Stream::Impl::End(StreamEnd end) {
  if (ended) return;
  ended = true;
  if (handler != nullptr) handler->OnEnd(end);
}

void Stream::Impl::EndLater(StreamEnd end) {
  asio::post(socket.get_executor(), [impl = StreamPtr(this), end] { impl->End(end); });
}

}  // namespace apiquota::net
