#include "simulate/simulate_server.h"

#include "simulate/simulate_session.h"

namespace apiquota::simulate {

SimulateServer::SimulateServer(net::Loop& loop, const SimulateOptions& options, SimulatedApi api)
    : loop_(loop), options_(options), api_(std::move(api)) {}

SimulateServer::~SimulateServer() = default;

Result<std::unique_ptr<SimulateServer>> SimulateServer::Open(net::Loop& loop, const SimulateOptions& options,
                                                             SimulatedApi api) {
  auto group = net::ListenGroup::Open(options.listen);
  if (!group) return std::unexpected(group.error());
  auto server = std::unique_ptr<SimulateServer>(new SimulateServer(loop, options, std::move(api)));
  auto listener = net::Listener::Open(loop, std::move(*group), [raw = server.get()](net::Stream stream) {
    auto session = std::make_unique<SimulateSession>(*raw, std::move(stream));
    raw->sessions_.emplace(session.get(), std::move(session));
  });
  if (!listener) return std::unexpected(listener.error());
  server->listener_ = std::move(*listener);
  return server;
}

void SimulateServer::Remove(SimulateSession* session) { sessions_.erase(session); }

}  // namespace apiquota::simulate
