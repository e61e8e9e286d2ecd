// One client of the admin side: its request, whole, goes to the server behind, and the answer comes back.
// Belongs to the door's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/codec.h"
#include "net/admin_door.h"
#include "net/server_connection.h"
#include "net/stream.h"

namespace apiquota::net {

class AdminSession final : public TimerLink,
                           private RequestHandler,
                           private StreamHandler,
                           private TimerHandler {
 public:
  AdminSession(AdminDoor& door, Stream stream);

  bool busy() const { return state_ != State::kIdle; }
  size_t unsent() const { return connection_.unsent(); }
  bool computing() const { return computing_; }
  bool running() const { return state_ == State::kRunning; }
  void Abort() { connection_.Abort(); }
  void OnTurnBehind();  // there is a turn at the server behind

 private:
  enum class State : uint8_t { kIdle, kWaiting, kRunning };

  // the client
  void OnRequest(std::span<const std::string_view> body, bool complete) override;
  bool WantsBody() override { return false; }  // nobody here reads one
  void OnBody(std::span<const std::string_view>, bool) override {}
  void OnRefused(const http::Refusal&, bool) override {
    if (!running()) Leave();
  }
  void OnDrained() override {}
  void OnGone() override;

  // the server behind
  void OnOpen() override;
  void OnBytes() override;
  void OnEnd(StreamEnd end) override;
  void OnTimer(Timer& timer) override;

  bool BuildHead();
  void Answer(int status, std::string_view rule, std::string_view detail, bool close = false);
  void Fail(std::string_view why);
  void Leave();

  AdminDoor& door_;
  State state_ = State::kIdle;
  bool gone_ = false;  // the client, while its page is being made
  bool computing_ = false;
  std::string head_;  // of the request, as it goes on
  std::optional<Stream> behind_;
  Timer timer_;
  http::ResponseParser parser_;
  std::vector<std::string_view> slices_;
  ServerConnection connection_;  // last: what it tells of is there
};

}  // namespace apiquota::net
