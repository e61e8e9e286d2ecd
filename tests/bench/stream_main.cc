// stream_load serve | load, with the plan as flags: scripts/bench starts both.
#include <CLI/CLI.hpp>

#include "tests/bench/stream_load.h"

int main(int argc, char** argv) {
  apiquota::bench::StreamPlan plan;
  CLI::App app{"server-sent-event streams with the time of sending in each chunk"};
  app.add_option("--port", plan.port);
  app.add_option("--path", plan.path);
  app.add_option("--streams", plan.streams);
  app.add_option("--chunks", plan.chunks);
  app.add_option("--chunk-bytes", plan.chunk_bytes)->check(CLI::Range(64, 8192));
  app.add_option("--interval-ms", plan.interval_ms);
  app.add_option("--ramp-ms", plan.ramp_ms);
  auto* serve = app.add_subcommand("serve", "be the upstream");
  app.add_subcommand("load", "be the clients");
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return serve->parsed() ? apiquota::bench::ServeStreams(plan) : apiquota::bench::LoadStreams(plan);
}
