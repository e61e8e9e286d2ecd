#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "cli/flags.h"
#include "cli/simulate_flags.h"
#include "config/guard_mode.h"
#include "config/listen_address.h"

namespace apiquota::cli {
namespace {

std::optional<size_t> ParseEntry(std::string_view text) {
  const auto number = ParseCount(text);
  return number && *number > 0 ? std::optional(static_cast<size_t>(*number)) : std::nullopt;
}

template <class Value>
void AddListen(CLI::App& app, const std::string& flag, Value* out, const std::string& help) {
  AddParsed(app, flag, out, config::kListenAddressExpected, config::ParseListenAddress, help)
      ->type_name("HOST:PORT");
}

void AddExportersDir(CLI::App& app, std::string* folder) {
  app.add_option("--exporters.dir", *folder,
                 "Directory whose *.yaml exporter files add to or override the built-in ones")
      ->type_name("DIR");
}

void AddEntry(CLI::App& app, size_t* entry, const std::string& help) {
  AddParsed(app, "--entry", entry, "an entry's number, from 1", ParseEntry, help)->type_name("N");
}

CLI::App* AddServe(CLI::App& app, app::ServeOptions* serve) {
  CLI::App* command = app.add_subcommand("serve", "Run the agent: the proxy and the admin side");
  command
      ->add_option("--config.file", serve->config_file,
                   "Configuration (docs/apiquota.example.yaml); none: defaults")
      ->type_name("FILE");
  AddListen(*command, "--web.listen-address", &serve->admin_listen,
            "Admin side: /metrics, /api/v1 (default 127.0.0.1:9429)");
  AddListen(*command, "--proxy.listen-address", &serve->proxy_listen, "Proxy (default 127.0.0.1:4290)");
  command
      ->add_option("--web.config.file", serve->admin_web_config,
                   "Admin side: TLS and basic authentication, in exporter-toolkit's format")
      ->type_name("FILE");
  command->add_option("--proxy.config.file", serve->proxy_web_config, "Proxy: TLS, in the same format")
      ->type_name("FILE");
  command->add_flag("--web.enable-lifecycle", serve->enable_lifecycle,
                    "Reload the configuration on POST /-/reload, too");
  AddExportersDir(*command, &serve->exporters_dir);
  command->add_option("--api", serve->apis, "Add an API, proxied at /NAME; may be given again")
      ->type_name("NAME=EXPORTER@URL")
      ->allow_extra_args(false);
  AddWord(*command, "--guard", &serve->guard, config::kGuardModes,
          "Protect quotas: on, or shadow: say what it would do (default off); the file wins")
      ->type_name("MODE");
  AddParsed(*command, "--log.level", &serve->log_level, "one of debug, info, warn, error", ParseLogLevel,
            "debug, info, warn or error (default info)")
      ->type_name("LEVEL");
  AddParsed(*command, "--log.format", &serve->log_format, "one of logfmt, json", ParseLogFormat,
            "logfmt or json (default logfmt)")
      ->type_name("FORMAT");
  command->add_flag("--log.access", serve->log_access, "A line for each request of an API, too");
  return command;
}

CLI::App* AddCheckConfig(CLI::App& app, CheckConfigCommand* check) {
  CLI::App* command = app.add_subcommand("check-config", "Say whether configuration files are good");
  command->add_option("FILE", check->files, "Files to check")->required();
  AddExportersDir(*command, &check->exporters_dir);
  return command;
}

CLI::App* AddExplain(CLI::App& app, ExplainOptions* explain) {
  CLI::App* command = app.add_subcommand("explain",
                                         "Say what an answer means for quotas: what `curl -i`, `curl -v`, "
                                         "`wget -S` or HTTPie print, a recording, or a HAR file");
  command->add_option("--exporter", explain->exporter, "How the API speaks about limits (default: found out)")
      ->type_name("NAME");
  command->add_option("--request-url", explain->request_url, "What was asked for")->type_name("URL");
  command
      ->add_option("--now", explain->now,
                   "The time of receipt (default: the response's Date, else the clock)")
      ->type_name("RFC3339|EPOCH");
  command->add_option("--format", explain->format, "text or json (default text)")->type_name("FORMAT");
  AddEntry(*command, &explain->entry, "Of a HAR file (default: all that speak of limits)");
  AddExportersDir(*command, &explain->exporters_dir);
  command->add_option("FILE", explain->file, "Default: standard input");
  return command;
}

CLI::App* AddExporters(CLI::App& app, ExportersOptions* exporters) {
  CLI::App* command =
      app.add_subcommand("exporters", "List the known APIs, or say how one speaks about limits");
  command->add_option("NAME", exporters->name, "One of them (default: all)");
  command->add_option("--format", exporters->format, "text or json (default text)")->type_name("FORMAT");
  command->add_flag("--schema", exporters->schema,
                    "The grammar of exporter files, as JSON Schema for editors");
  command->add_flag("--keys", exporters->keys, "The grammar of exporter files, as tables in Markdown");
  AddExportersDir(*command, &exporters->exporters_dir);
  return command;
}

CLI::App* AddSimulate(CLI::App& app, SimulateCommand* simulate) {
  CLI::App* command = app.add_subcommand("simulate", "Be a rate-limited API, for demos and tests");
  command->add_option("--exporter", simulate->exporter, "The API's dialect")->type_name("NAME")->required();
  AddListen(*command, "--listen", &simulate->options.listen, "Default: any free port of 127.0.0.1");
  AddSimulateFlags(*command, &simulate->options);
  AddExportersDir(*command, &simulate->exporters_dir);
  return command;
}

void AddRequest(CLI::App& command, std::vector<std::string>* headers, std::string* key_from_env,
                std::string* method, Micros* timeout) {
  command.add_option("-H,--header", *headers, "Sent along; may be given again")
      ->type_name("NAME: VALUE")
      ->allow_extra_args(false);
  command.add_option("--key-from-env", *key_from_env, "Variable that holds the credential")
      ->type_name("VARIABLE");
  command.add_option("--method", *method, "GET or HEAD")->type_name("METHOD");
  AddDuration(command, "--timeout", timeout, "For each answer (default 30s)");
}

CLI::App* AddProbe(CLI::App& app, ProbeOptions* probe) {
  CLI::App* command = app.add_subcommand("probe", "Ask APIs now and say what is left");
  command->add_option("TARGET", probe->targets, "A URL, an exporter's name, or an api of --config.file")
      ->required();
  command->add_option("--config.file", probe->config_file, "Configuration whose apis and keys are used")
      ->type_name("FILE");
  command->add_option("--exporter", probe->exporter, "How a URL's API speaks (default: found out)")
      ->type_name("NAME");
  AddRequest(*command, &probe->headers, &probe->key_from_env, &probe->method, &probe->timeout);
  command->add_option("--format", probe->format, "text or json (default text)")->type_name("FORMAT");
  AddExportersDir(*command, &probe->exporters_dir);
  return command;
}

CLI::App* AddRecord(CLI::App& app, RecordOptions* record) {
  CLI::App* command = app.add_subcommand(
      "record", "Write an answer as a recording for tests/providers, without credentials and the like");
  command->add_option("NAME", record->exporter, "The exporter that reads it")->required();
  command->add_option("URL", record->url, "Asked now (default: an answer on standard input, as for explain)");
  command->add_option("--input", record->file, "Read the answer here instead: what explain reads")
      ->type_name("FILE");
  AddEntry(*command, &record->entry, "Of a HAR file (default: the only one that speaks of limits)");
  command
      ->add_option("--request-url", record->request_url, "What was asked for, where the input does not say")
      ->type_name("URL");
  AddRequest(*command, &record->headers, &record->key_from_env, &record->method, &record->timeout);
  command->add_option("--case", record->name, "The files' name (default ordinary, or throttled)")
      ->type_name("CASE");
  command->add_option("--source", record->source, "\"documented: URL\" or \"inferred …\"")->type_name("TEXT");
  command
      ->add_option("--out", record->folder,
                   "Default tests/providers/NAME where there is such a tree, else this directory")
      ->type_name("DIR");
  command->add_flag("--force", record->force, "Overwrite files of these names");
  AddExportersDir(*command, &record->exporters_dir);
  return command;
}

CLI::App* AddHealthcheck(CLI::App& app, HealthcheckOptions* healthcheck) {
  CLI::App* command = app.add_subcommand("healthcheck", "Say by the exit code whether the agent answers");
  AddListen(*command, "--web.listen-address", &healthcheck->admin,
            "Where its admin side listens (default 127.0.0.1:9429)");
  command->add_option("--url", healthcheck->url, "Asked instead of the agent's own page")->type_name("URL");
  return command;
}

// What may be said of a mistake that CLI11 found: it names flags, and in these cases nothing else.
std::string Sentence(const CLI::Error& error) {
  const bool names_only = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr ||
                          dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
                          dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr;
  return names_only ? error.what() : "an argument can't be understood; see apiquota --help";
}

// An argument nobody knows, and what may have been meant.
Error Unexpected(const std::string& argument, const CLI::App& app) {
  const bool is_flag = argument.starts_with('-');
  const auto chosen = app.get_subcommands();
  const CLI::App& known_by = chosen.empty() ? app : *chosen.front();
  std::vector<std::string> names;
  if (is_flag) {
    for (const CLI::Option* option : known_by.get_options()) names.push_back(option->get_name());
  } else if (chosen.empty()) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
    }
  }
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string flag = argument.substr(0, argument.find('='));
  const std::string named = NamedMisspelling(is_flag ? flag : argument, words);
  const std::string_view what = is_flag ? "flag" : chosen.empty() ? "command" : "argument";
  const std::string help = (chosen.empty() ? "apiquota" : "apiquota " + known_by.get_name()) + " --help";
  return {fmt::format("unknown {}{}", what, named.empty() ? "; see " + help : named)};
}

}  // namespace

Result<Command> ParseCommandLine(int argc, const char* const* argv, const std::string& version) {
  CLI::App app("Knows how much of every API's quota is left.", "apiquota");
  app.set_version_flag("--version", version);
  app.allow_extras();
  app::ServeOptions serve;
  CheckConfigCommand check;
  ExplainOptions explain;
  ExportersOptions exporters;
  SimulateCommand simulate;
  const CLI::App* serve_command = AddServe(app, &serve)->allow_extras();
  const CLI::App* check_command = AddCheckConfig(app, &check);
  const CLI::App* explain_command = AddExplain(app, &explain)->allow_extras();
  const CLI::App* exporters_command = AddExporters(app, &exporters)->allow_extras();
  ProbeOptions probe;
  HealthcheckOptions healthcheck;
  RecordOptions record;
  const CLI::App* probe_command = AddProbe(app, &probe);
  const CLI::App* record_command = AddRecord(app, &record)->allow_extras();
  const CLI::App* healthcheck_command = AddHealthcheck(app, &healthcheck)->allow_extras();
  const CLI::App* simulate_command = AddSimulate(app, &simulate)->allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    return ShowText{version + "\n"};
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return ShowText{chosen.empty() ? app.help() : chosen.front()->help(app.get_name())};
  } catch (const CLI::Error& error) {
    return Fail(Sentence(error));
  }
  const std::vector<std::string> extras = app.remaining(true);
  if (!extras.empty()) return std::unexpected(Unexpected(extras.front(), app));
  if (serve_command->parsed()) return serve;
  if (check_command->parsed()) return check;
  if (explain_command->parsed()) return explain;
  if (exporters_command->parsed()) return exporters;
  if (simulate_command->parsed()) return simulate;
  if (probe_command->parsed()) return probe;
  if (record_command->parsed()) return record;
  if (healthcheck_command->parsed()) return healthcheck;
  return Fail("expected a command; see apiquota --help");
}

}  // namespace apiquota::cli
