// What a simulated API does with one connection's requests: each is answered after the latency, at once or as
// a stream of events, which waits while the client does not read. HTTP itself, its limits and its deadlines
// are net::ServerConnection's. Belongs to the server's loop.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/server_connection.h"
#include "simulate/simulate_server.h"

namespace apiquota::simulate {

class SimulateSession final : private net::RequestHandler, private net::TimerHandler, private net::Deferred {
 public:
  SimulateSession(SimulateServer& server, net::Stream stream);

 private:
  void OnRequest(std::span<const std::string_view> body, bool complete) override;
  bool WantsBody() override { return true; }
  void OnBody(std::span<const std::string_view> body, bool complete) override;
  void OnRefused(const http::Refusal&, bool) override { Cancel(); }
  void OnDrained() override;
  void OnGone() override;
  void OnTimer(net::Timer& timer) override;
  void OnTurn() override;

  void Decide();
  bool SendPage(std::string_view target, SystemTime now);
  std::string_view Key() const;
  std::optional<TokenCount> Tokens(const nlohmann::json& body) const;
  bool ClientWantsStream(const nlohmann::json& body) const;
  void SendReply();
  void BeginEvents();
  void SendEvents();
  void Send(std::string_view content_type, http::BodyFraming framing, std::string_view body, bool complete);
  void Complete();
  void Cancel();

  SimulateServer& server_;
  net::Timer timer_;        // the latency, or until the next event
  std::string address_;     // of the client
  std::string body_;        // of the request; what is beyond the bound is dropped
  size_t body_bytes_ = 0;   // … with what was dropped
  bool counted_ = false;    // a request for the API is under way
  bool streaming_ = false;  // its events are being sent
  SimulatedResponse response_;
  int events_sent_ = 0;
  net::ServerConnection connection_;  // last: what it tells of is there
};

}  // namespace apiquota::simulate
