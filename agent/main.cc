// Arguments → command → exit code. What `serve` does, in order, is in app/serve.cc.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "app/catalogue.h"
#include "app/process.h"
#include "app/serve.h"
#include "base/clock.h"
#include "cli/check_config.h"
#include "cli/command_line.h"
#include "cli/explain.h"
#include "cli/exporters.h"
#include "cli/healthcheck.h"
#include "cli/probe.h"
#include "cli/record.h"
#include "simulate/simulate.h"

namespace apiquota {
namespace {

constexpr int kBadInput = 2;

int Complain(const std::string& sentence) {
  std::cerr << sentence << std::endl;
  return kBadInput;
}

// A terminal, and no wish against it (https://no-color.org: set and not empty).
bool ColourWanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

int Run(const cli::ShowText& show) {
  std::cout << show.text << std::flush;
  return 0;
}

int Run(app::ServeOptions options) {
  options.version = APIQUOTA_VERSION;
  options.revision = APIQUOTA_REVISION;
  return app::RunServe(options, RealClock(), std::cerr);
}

int Run(const cli::CheckConfigCommand& check) {
  return cli::RunCheckConfig(check.files, check.exporters_dir, std::cout, std::cerr);
}

int Run(cli::ExplainOptions options) {
  options.colour = ColourWanted();
  return cli::RunExplain(options, RealClock(), std::cin, std::cout, std::cerr);
}

int Run(const cli::ExportersOptions& options) { return cli::RunExporters(options, std::cout, std::cerr); }

int Run(cli::ProbeOptions options) {
  options.colour = ColourWanted();
  options.version = APIQUOTA_VERSION;
  return cli::RunProbe(options, RealClock(), std::cout, std::cerr);
}

int Run(cli::RecordOptions options) {
  options.version = APIQUOTA_VERSION;
  return cli::RunRecord(options, RealClock(), std::cin, std::cout, std::cerr);
}

int Run(const cli::HealthcheckOptions& options) {
  return cli::RunHealthcheck(options, RealClock(), std::cerr);
}

int Run(const cli::SimulateCommand& simulate) {
  const auto exporter = app::LoadExporterNamed(simulate.exporter, simulate.exporters_dir);
  if (!exporter) return Complain(exporter.error().message);
  return simulate::RunSimulate(simulate.options, **exporter, RealClock(), std::cout, std::cerr);
}

}  // namespace
}  // namespace apiquota

int main(int argc, char** argv) {
  apiquota::app::HardenProcess();  // every command may be given credentials: in files, variables, arguments
                                   // or input
  apiquota::app::KeepStandardStreams();
  const std::string revision = APIQUOTA_REVISION;
  const std::string version = "apiquota " APIQUOTA_VERSION + (revision.empty() ? "" : " (" + revision + ")");
  const auto command = apiquota::cli::ParseCommandLine(argc, argv, version);
  if (!command) return apiquota::Complain(command.error().message);
  return std::visit([](const auto& chosen) { return apiquota::Run(chosen); }, *command);
}
