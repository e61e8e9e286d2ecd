#include "net/listener.h"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "net/stream_impl.h"

namespace apiquota::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kAcceptRest{100};

std::string Text(const ListenAddress& address) { return address.host + ":" + std::to_string(address.port); }

Result<tcp::endpoint> ToEndpoint(const ListenAddress& address) {
  if (address.host.empty()) return tcp::endpoint(asio::ip::address_v6::any(), address.port);
  if (address.host == "localhost") return tcp::endpoint(asio::ip::address_v4::loopback(), address.port);
  const auto ip = IpAddress::Parse(address.host);
  if (!ip) return Fail(Text(address) + ": a listen address needs an IP address, localhost or no host at all");
  boost::system::error_code ignored;
  return tcp::endpoint(asio::ip::make_address(ip->ToText(), ignored), address.port);
}

boost::system::error_code Bind(Acceptor& acceptor, tcp::endpoint endpoint, bool shared) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error && endpoint.address().is_unspecified() && endpoint.address().is_v6()) {
    endpoint = tcp::endpoint(asio::ip::address_v4::any(), endpoint.port());  // a machine without IPv6
    acceptor.open(endpoint.protocol(), error);
  }
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.address().is_v6()) {
    boost::system::error_code ignored;
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), ignored);
  }
  if (shared) acceptor.set_option(ReusePort(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

Error Explain(const ListenAddress& address, const boost::system::error_code& error) {
  if (error == asio::error::address_in_use)
    return {Text(address) + ": the address is in use by another program"};
  return {Text(address) + ": can't listen: " + error.message()};
}

}  // namespace

struct Listener::Impl final : std::enable_shared_from_this<Impl>, TimerHandler {
  Impl(Loop& loop_in, Accepted accepted_in)
      : loop(loop_in), acceptor(loop_in.context()), accepted(std::move(accepted_in)), rest(*this) {}

  void Accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const boost::system::error_code& error, TcpSocket socket) {
          self->OnAccept(error, std::move(socket));
        });
  }

  void OnAccept(const boost::system::error_code& error, TcpSocket socket) {
    if (!acceptor.is_open()) return;
    if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
        error == asio::error::no_buffer_space || error.value() == ENFILE) {
      return loop.timers().Arm(rest, kAcceptRest);
    }
    if (!error) {
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      accepted(Stream(new Stream::Impl(std::move(socket))));
    }
    Accept();
  }

  void OnTimer(Timer&) override { Accept(); }

  Loop& loop;
  Acceptor acceptor;
  Accepted accepted;
  Timer rest;
};

Status Listener::CheckFree(const ListenAddress& address) {
  const auto endpoint = ToEndpoint(address);
  if (!endpoint) return std::unexpected(endpoint.error());
  asio::io_context context(1);
  Acceptor acceptor(context);
  boost::system::error_code error = Bind(acceptor, *endpoint, false);
  if (!error) acceptor.listen(1, error);
  if (error) return std::unexpected(Explain(address, error));
  return {};
}

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, const ListenAddress& address,
                                                 Accepted accepted) {
  const auto endpoint = ToEndpoint(address);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto impl = std::make_shared<Impl>(loop, std::move(accepted));
  boost::system::error_code error = Bind(impl->acceptor, *endpoint, true);
  if (!error) impl->acceptor.listen(kBacklog, error);
  if (error) return std::unexpected(Explain(address, error));
  impl->Accept();
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() {
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->rest.Disarm();
}

uint16_t Listener::port() const {
  boost::system::error_code ignored;
  return impl_->acceptor.local_endpoint(ignored).port();
}

}  // namespace apiquota::net
