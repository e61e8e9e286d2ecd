#include "simulate/simulate.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <string_view>

#include "net/loop.h"
#include "simulate/simulate_server.h"
#include "simulate/simulated_api.h"

namespace apiquota::simulate {
namespace {

constexpr int kImpossible = 2;

// Numbers the command line's own checks can't judge; empty if all is well.
std::string_view Complaint(const SimulateOptions& options) {
  if (options.limit <= 0) return "--limit: a number above 0 is expected";
  if (options.cost <= 0) return "--cost: a number above 0 is expected";
  if (options.burst < 0) return "--burst: a number above 0 is expected";
  if (options.manner.remaining_step < 0) return "--round-remaining: a number above 0 is expected";
  if (options.window && *options.window < std::chrono::milliseconds(1))
    return "--window: at least 1ms is expected";
  if (options.sub_limit && *options.sub_limit < std::chrono::milliseconds(1)) {
    return "--sub-limit: at least 1ms is expected";
  }
  if (options.chunks < 0) return "--chunks: a number of events is expected";
  if (!options.path.starts_with('/')) return "--path: a path that starts with / is expected";
  return {};
}

// Blocked before the loop's thread starts, so that they reach sigwait and nobody else.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

std::string HostText(const net::ListenAddress& listen) {
  const std::string& host = listen.host;
  if (host.empty()) return "0.0.0.0";
  return host.find(':') == std::string::npos || host.starts_with('[') ? host : fmt::format("[{}]", host);
}

}  // namespace

int RunSimulate(const SimulateOptions& options, const provider::Exporter& exporter, const Clock& clock,
                std::ostream& out, std::ostream& err) {
  const auto fail = [&err](std::string_view sentence) {
    err << "apiquota simulate: " << sentence << "\n";
    return kImpossible;
  };
  if (const std::string_view complaint = Complaint(options); !complaint.empty()) return fail(complaint);
  Result<SimulatedApi> api = SimulatedApi::Create(options, exporter);
  if (!api) return fail(api.error().message);
  const sigset_t signals = BlockEndSignals();
  net::Loop loop(clock);
  auto server = SimulateServer::Open(loop, options, std::move(*api));
  if (!server) return fail(server.error().message);
  loop.Start();
  out << fmt::format("listening on {}\n",
                     options.listen.is_unix()
                         ? net::ToText(options.listen)
                         : fmt::format("{}:{}", HostText(options.listen), (*server)->port()))
      << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  loop.Stop();
  out << (*server)->api().TruthJson(clock.SystemNow()) << std::flush;
  return 0;
}

}  // namespace apiquota::simulate
