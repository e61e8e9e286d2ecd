#include "app/serve.h"

#include <csignal>
#include <string>

#include "app/agent.h"
#include "app/environment.h"
#include "app/process.h"
#include "app/settings.h"
#include "app/state_directory.h"
#include "base/log.h"
#include "net/key_log.h"

namespace apiquota::app {
namespace {

constexpr Micros kSaveEvery = std::chrono::seconds(30);
constexpr int kNotStarted = 2;

// Reloads and saves until asked to stop; the signal that asked.
int RunUntilStopped(const SignalQueue& signals, Agent& agent, const Clock& clock) {
  SteadyTime next_save = clock.SteadyNow() + kSaveEvery;
  for (;;) {
    const auto left = std::chrono::duration_cast<Micros>(next_save - clock.SteadyNow());
    const std::optional<int> signal = signals.Wait(left);
    if (signal == SIGHUP) agent.Reload();
    if (signal == SIGTERM || signal == SIGINT) return *signal;
    if (clock.SteadyNow() >= next_save) {
      agent.SaveState();
      next_save = clock.SteadyNow() + kSaveEvery;
    }
  }
}

// Upstreams are connected to directly; whoever set up a proxy for this environment must not be left to
// wonder.
void WarnOfProxyVariables() {
  const std::string variables = ProxyVariables();
  if (variables.empty()) return;
  Log(LogLevel::kWarn, "proxy_variables_ignored",
      {{"variables", variables}, {"effect", "the agent connects to upstreams itself, not through a proxy"}});
}

int NotStarted(const Error& error, std::ostream& err) {
  StopLogging();
  err << error.message << std::endl;
  return kNotStarted;
}

}  // namespace

int RunServe(const ServeOptions& options, const Clock& clock, std::ostream& err) {
  if (const Status enough = RaiseDescriptorLimit(); !enough) return NotStarted(enough.error(), err);
  KeepHeapsSmall();
  const SignalQueue signals;

  Result<Settings> settings = LoadSettings(options);
  if (!settings) return NotStarted(settings.error(), err);
  StartLogging(options.log_level, options.log_format);
  net::ForgetKeyLogFile();
  WarnOfProxyVariables();
  Result<Secret> salt = ObtainSalt(settings->config.key_salt_file);
  if (!salt) return NotStarted(salt.error(), err);

  auto agent = Agent::Start(options, std::move(*settings), std::move(*salt), clock);
  if (!agent) return NotStarted(agent.error(), err);

  const int signal = RunUntilStopped(signals, **agent, clock);

  Log(LogLevel::kInfo, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  signals.ExitOnNext();
  (*agent)->Drain();
  agent->reset();
  Log(LogLevel::kInfo, "stopped");
  StopLogging();
  return 0;
}

}  // namespace apiquota::app
