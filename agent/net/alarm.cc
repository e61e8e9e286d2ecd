#include "net/alarm.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace apiquota::net {

namespace asio = boost::asio;

struct Alarm::Impl {
  Impl(Loop& loop, std::function<void()> when_due) : timer(loop.context()), ring(std::move(when_due)) {}

  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      timer;
  std::function<void()> ring;
  uint64_t set = 0;  // how often; tells a handler that is queued already that it is out of date
};

Alarm::Alarm(Loop& loop, std::function<void()> ring) : impl_(std::make_shared<Impl>(loop, std::move(ring))) {}

Alarm::~Alarm() { Cancel(); }

void Alarm::Set(Micros delay) {
  Cancel();
  impl_->timer.expires_after(std::max(delay, Micros(0)));
  impl_->timer.async_wait(
      [weak = std::weak_ptr(impl_), set = impl_->set](const boost::system::error_code& error) {
        const auto impl = weak.lock();
        if (error || !impl || impl->set != set) return;
        impl->ring();
      });
}

void Alarm::Cancel() {
  ++impl_->set;
  impl_->timer.cancel();
}

}  // namespace apiquota::net
