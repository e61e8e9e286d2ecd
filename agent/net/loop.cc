#include "net/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "net/alarm.h"

namespace apiquota::net {
namespace {

constexpr size_t kBatchMax = 256;

thread_local const Loop* running = nullptr;  // on this thread

// While it lasts. Whoever drives a loop by hand is on it no longer than a turn: later another one may stand
// at its address.
class Running {
 public:
  explicit Running(const Loop& loop) : before_(std::exchange(running, &loop)) {}
  ~Running() { running = before_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  const Loop* before_;
};

}  // namespace

// Drives the wheel.
struct Loop::Tick {
  explicit Tick(Loop& loop)
      : alarm(loop, [this, &loop] {
          loop.timers_.Advance(loop.clock_.SteadyNow());
          alarm.Set(TimerWheel::kTick);
        }) {
    alarm.Set(TimerWheel::kTick);
  }
  Alarm alarm;
};

// What has been posted, mostly by other threads.
struct Loop::Mailbox final : EventHandler, Deferred {
  explicit Mailbox(Loop& owner) : loop(owner), bell(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    loop.Watch(bell.get(), EPOLLIN, *this);
  }

  void Put(std::function<void()> letter) {
    bool first = false;
    {
      const std::lock_guard lock(mutex);
      first = letters.empty();
      letters.push_back(std::move(letter));
    }
    if (!first) return;
    if (running == &loop) return loop.Defer(*this);
    Ring();
  }
  void Ring() {
    const uint64_t one = 1;
    while (::write(bell.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  void OnEvents(uint32_t) override {
    uint64_t count = 0;
    while (::read(bell.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    OnTurn();
  }
  void OnTurn() override {
    std::vector<std::function<void()>> taken;
    {
      const std::lock_guard lock(mutex);
      taken.swap(letters);
    }
    for (const auto& letter : taken) letter();
  }

  Loop& loop;
  Descriptor bell;
  std::mutex mutex;
  std::vector<std::function<void()>> letters;
};

Loop::Loop(const Clock& clock)
    : clock_(clock), timers_(clock.SteadyNow()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  mailbox_ = std::make_unique<Mailbox>(*this);
  tick_ = std::make_unique<Tick>(*this);
}

Loop::~Loop() { Stop(); }

void Loop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Loop::Stop() {
  stopping_.store(true);
  mailbox_->Ring();
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(std::function<void()> work) { mailbox_->Put(std::move(work)); }

bool Loop::Watch(int fd, uint32_t events, EventHandler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
  return errno == EEXIST && epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0;
}

void Loop::Unwatch(int fd, EventHandler& handler) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (epoll_event& event : batch_) {
    if (event.data.ptr == &handler) event.data.ptr = nullptr;
  }
}

void Loop::Run() {
  const Running on(*this);
  while (!stopping_.load(std::memory_order_relaxed)) TakeTurn(deferred_.linked() ? 0 : -1);
}

bool Loop::Turn() {
  const Running on(*this);
  const bool deferred = deferred_.linked();
  return TakeTurn(0) > 0 || deferred;
}

int Loop::TakeTurn(int timeout_ms) {
  std::array<epoll_event, kBatchMax> events;
  const int n = epoll_wait(epoll_.get(), events.data(), kBatchMax, timeout_ms);
  batch_ = std::span(events).first(static_cast<size_t>(std::max(n, 0)));
  while (!batch_.empty()) {
    const epoll_event event = batch_.front();
    batch_ = batch_.subspan(1);
    if (event.data.ptr != nullptr) static_cast<EventHandler*>(event.data.ptr)->OnEvents(event.events);
  }
  RunDeferred();
  return n;
}

// What is deferred from here on has its turn after the next events.
void Loop::RunDeferred() {
  if (!deferred_.linked()) return;
  TimerLink due;
  due.InsertBefore(&deferred_);
  deferred_.Unlink();
  while (due.linked()) {
    auto* deferred = static_cast<Deferred*>(due.next);
    deferred->Unlink();
    deferred->OnTurn();
  }
}

}  // namespace apiquota::net
