// One connection to a simulated API: requests one after the other, each answered after the latency, at once
// or as a stream of events. Belongs to the server's loop.
#pragma once

#include <string>
#include <string_view>

#include "http/codec.h"
#include "net/stream.h"
#include "simulate/simulate_server.h"

namespace apiquota::simulate {

class SimulateSession final : private net::StreamHandler, private net::TimerHandler {
 public:
  SimulateSession(SimulateServer& server, net::Stream stream);
  ~SimulateSession();

 private:
  // What the timer is waiting for.
  enum class State : uint8_t { kReading, kLatency, kStreaming, kClosing };

  void OnBytes() override;
  void OnEnd(net::StreamEnd end) override;
  void OnTimer(net::Timer& timer) override;

  bool Parse();  // whether to go on with the input
  void Answer();
  void SendReply();
  void SendEvents();
  void Finish();
  void Refuse(const http::Refusal& refusal);
  std::string Head(std::string_view content_type, std::string_view framing) const;
  bool ClientWantsStream() const;

  SimulateServer& server_;
  net::Stream stream_;
  net::Timer timer_;
  http::RequestParser parser_;
  State state_ = State::kReading;
  std::string body_;        // of the request; what is beyond the bound is dropped
  bool continued_ = false;  // 100 Continue was sent
  bool counted_ = false;    // a request for the API is under way
  SimulatedResponse response_;
  int events_sent_ = 0;
};

}  // namespace apiquota::simulate
