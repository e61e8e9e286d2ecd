#include "net/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace apiquota::net {

namespace asio = boost::asio;

struct Loop::Ticker {
  explicit Ticker(Loop& owner) : loop(owner), timer(*owner.context_) {}

  void Wait() {
    timer.expires_after(TimerWheel::kTick);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      loop.timers_.Advance(loop.clock_.SteadyNow());
      Wait();
    });
  }

  Loop& loop;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      timer;
};

// Concurrency hint 1: one thread runs it, others may post.
Loop::Loop(const Clock& clock)
    : clock_(clock),
      timers_(clock.SteadyNow()),
      context_(std::make_unique<asio::io_context>(1)),
      ticker_(std::make_unique<Ticker>(*this)) {}

Loop::~Loop() {
  Stop();
  ticker_.reset();
}

void Loop::Start() {
  ticker_->Wait();
  thread_ = std::thread([this] { context_->run(); });
}

void Loop::Stop() {
  context_->stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(std::function<void()> work) { asio::post(*context_, std::move(work)); }

}  // namespace apiquota::net
