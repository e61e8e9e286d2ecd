// The server's end of one connection, for tests of listeners and streams: a listener on a loop of its own
// whose first connection is kept and tells what it hears.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "net/listener.h"
#include "net/loop.h"
#include "net/stream.h"

namespace apiquota::net {

class ServedStream final : StreamHandler {
 public:
  explicit ServedStream(const ListenAddress& address, TlsServer* tls = nullptr) : loop_(RealClock()) {
    auto group = ListenGroup::Open(address, tls);
    EXPECT_TRUE(group) << group.error().message;
    port_ = (*group)->port();
    auto listener = Listener::Open(loop_, std::move(*group), [this](Stream stream) {
      stream_.emplace(std::move(stream));
      stream_->SetHandler(this);
      if (reads_) stream_->Resume();
      if (!reads_) stream_->Pause();
    });
    EXPECT_TRUE(listener) << listener.error().message;
    listener_ = std::move(*listener);
  }
  ~ServedStream() { loop_.Stop(); }

  // Before Start: whether what comes is read and consumed.
  ServedStream& Reading(bool reads, bool consumes) {
    reads_ = reads;
    consumes_ = consumes;
    return *this;
  }
  ServedStream& Greeting(std::string greeting) {
    greeting_ = std::move(greeting);
    return *this;
  }
  ServedStream& Start() {
    loop_.Start();
    return *this;
  }

  uint16_t port() const { return port_; }

  // On the loop's thread; returns when it has been done.
  template <class Work>
  void Do(Work work) {
    std::promise<void> done;
    loop_.Post([&] {
      work(*stream_);
      done.set_value();
    });
    done.get_future().wait();
  }

  // From here on everything is consumed.
  void ConsumeAll() {
    loop_.Post([this] {
      consumes_ = true;
      OnBytes();
      stream_->Resume();
    });
  }

  std::optional<StreamEnd> WaitForEnd() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return end_.has_value(); });
    return end_;
  }
  // Bytes seen in input() or consumed; waits until there are `n`.
  std::string WaitForBytes(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return seen_ >= n; });
    return got_;
  }
  bool hung_up() {
    const std::lock_guard lock(mutex_);
    return hung_up_;
  }
  void WaitForHangUp() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return hung_up_; });
    EXPECT_TRUE(hung_up_);
  }

 private:
  void OnOpen() override {
    if (!greeting_.empty()) stream_->Write({greeting_});
  }
  void OnBytes() override {
    const std::lock_guard lock(mutex_);
    seen_ = got_.size() + stream_->input().size();
    if (consumes_) {
      got_ += stream_->input();
      stream_->Consume(stream_->input().size());
    }
    changed_.notify_all();
  }
  void OnEnd(StreamEnd end) override {
    const std::lock_guard lock(mutex_);
    end_ = end;
    changed_.notify_all();
  }
  void OnHangUp() override {
    const std::lock_guard lock(mutex_);
    hung_up_ = true;
    changed_.notify_all();
  }

  Loop loop_;
  uint16_t port_ = 0;
  bool reads_ = true;
  bool consumes_ = true;
  std::string greeting_;
  std::optional<Stream> stream_;
  std::unique_ptr<Listener> listener_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string got_;  // guarded by mutex_, like all below
  size_t seen_ = 0;
  bool hung_up_ = false;
  std::optional<StreamEnd> end_;
};

}  // namespace apiquota::net
