#include "cli/probe_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "apis/credentials.h"
#include "apis/poll_target.h"
#include "app/catalogue.h"
#include "app/settings.h"
#include "base/text.h"
#include "http/forward.h"

namespace apiquota::cli {
namespace {

using Field = std::pair<std::string, std::string>;

bool IsVisible(char c) { return c >= 0x20 && c < 0x7f; }

Result<std::vector<Field>> ParseHeaders(const std::vector<std::string>& lines) {
  std::vector<Field> fields;
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    const std::string_view name = std::string_view(line).substr(0, colon);
    const bool good = colon != std::string::npos && !name.empty() && std::ranges::all_of(line, IsVisible) &&
                      name.find_first_of(" \"(),/;<=>?@[\\]{}") == std::string_view::npos;
    // Not repeated: it may hold a credential.
    if (!good) return Fail("-H: expected \"Name: value\" in visible ASCII");
    fields.emplace_back(name, Trim(std::string_view(line).substr(colon + 1)));
  }
  return fields;
}

// What all targets share.
struct Common {
  std::vector<Field> fields;
  apis::KeyOptions key;  // empty: none
  std::string method;
};

Result<Common> ReadCommon(const ProbeOptions& options) {
  Common common;
  auto fields = ParseHeaders(options.headers);
  if (!fields) return std::unexpected(fields.error());
  common.fields = std::move(*fields);
  if (!options.method.empty() && options.method != "GET" && options.method != "HEAD") {
    return Fail("--method: expected GET or HEAD");
  }
  common.method = options.method;
  if (options.key_from_env.empty()) return common;
  const char* value = std::getenv(options.key_from_env.c_str());
  const bool good =
      value != nullptr && *value != '\0' && std::ranges::all_of(std::string_view(value), IsVisible);
  if (!good) return Fail("--key-from-env: expected the name of a variable that holds a credential");
  common.key.value = Secret(value);
  return common;
}

void Complete(const Common& common, const apis::KeyOptions& key, ProbeTarget* target) {
  auto& fields = target->request.fields;
  fields.insert(fields.end(), common.fields.begin(), common.fields.end());
  if (!key.value.empty()) AddKey(Info(*target->exporter), key, &target->request.url, &fields);
}

Result<ProbeTarget> FromBase(const std::string& name, const std::string& base_url, std::string_view path) {
  const auto base = http::ParseBaseUrl(base_url);
  if (!base) return std::unexpected(base.error());
  ProbeTarget target;
  target.name = name;
  target.host = base->host;
  const std::string_view alone = path.substr(0, path.find('?'));
  target.path = apis::Joined(base->path, alone);
  target.request.url = (base->tls ? "https://" : "http://") + base->authority + target.path +
                       std::string(path.substr(alone.size()));
  return target;
}

Result<ProbeTarget> FromUrl(const ProbeOptions& options, const ProbePlan& plan, const Common& common,
                            const std::string& url) {
  const size_t authority = url.find("://") + 3;
  const size_t path = std::min(url.find_first_of("/?#", authority), url.size());
  if (!std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; }) ||
      url.find('#') != std::string::npos) {
    return Fail("expected a URL of visible ASCII without a fragment");
  }
  auto target = FromBase(url.substr(0, url.find('?')), url.substr(0, path), url.substr(path));
  if (!target) return target;
  target->request.private_allowed = true;  // whoever runs the command wrote it
  target->request.method = common.method.empty() ? "GET" : common.method;
  target->exporter_named = !options.exporter.empty();
  const auto exporter = target->exporter_named ? app::FindExporter(plan.exporters, options.exporter)
                                               : plan.exporters.Detect(target->host, {});
  if (!exporter) return Fail("--exporter: " + exporter.error().message);
  target->exporter = *exporter;
  Complete(common, common.key, &*target);
  return target;
}

// One for each of the api's keys.
Status AddApi(const apis::ApiOptions& api, const Common& common, ProbePlan* plan) {
  const provider::ExporterPtr exporter = plan->exporters.Find(api.exporter);
  const provider::ExporterInfo& info = Info(*exporter);
  const auto endpoint = ResolvePoll(api.poll.value_or(apis::PollOptions{}), info.poll);
  if (!endpoint) return std::unexpected(endpoint.error());
  std::vector<apis::KeyOptions> keys = api.keys;
  if (!common.key.value.empty() || keys.empty()) keys = {common.key};
  for (const apis::KeyOptions& key : keys) {
    const std::string name = keys.size() == 1 ? api.name : fmt::format("{} ({})", api.name, key.name);
    auto target = FromBase(name, api.base_url.empty() ? info.base_url : api.base_url, endpoint->path);
    if (!target) return std::unexpected(target.error());
    target->request.private_allowed = api.base_url_by_operator;
    target->request.method = common.method.empty() ? endpoint->method : common.method;
    target->request.fields = endpoint->headers;
    target->exporter = exporter;
    target->exporter_named = true;
    Complete(common, key, &*target);
    plan->targets.push_back(std::move(*target));
  }
  return {};
}

Status AddExporter(const std::string& name, const Common& common, ProbePlan* plan) {
  const auto exporter = app::FindExporter(plan->exporters, name);
  if (!exporter) return std::unexpected(exporter.error());
  apis::ApiOptions api;
  api.name = api.exporter = name;
  if (Info(**exporter).base_url.empty()) {
    return Fail(fmt::format("every customer has a host of their own; probe a URL with --exporter {}", name));
  }
  if (!Info(**exporter).poll) {
    return Fail("no endpoint to ask is known; probe a URL of the API");
  }
  return AddApi(api, common, plan);
}

Status AddTarget(const ProbeOptions& options, const app::Settings& settings, const Common& common,
                 const std::string& name, ProbePlan* plan) {
  if (name.find("://") != std::string::npos) {
    auto target = FromUrl(options, *plan, common, name);
    if (!target) return std::unexpected(target.error());
    plan->targets.push_back(std::move(*target));
    return {};
  }
  const auto& apis = settings.config.apis;
  const auto api = std::ranges::find(apis, name, &apis::ApiOptions::name);
  const bool configured = api != apis.end() && !options.config_file.empty();
  return configured ? AddApi(*api, common, plan) : AddExporter(name, common, plan);
}

}  // namespace

Result<ProbePlan> PlanProbe(const ProbeOptions& options) {
  const auto common = ReadCommon(options);
  if (!common) return std::unexpected(common.error());
  app::ServeOptions serve;
  serve.config_file = options.config_file;
  serve.exporters_dir = options.exporters_dir;
  auto settings = app::LoadSettings(serve);
  if (!settings) return std::unexpected(settings.error());
  ProbePlan plan{settings->exporters, {}, settings->config.proxy.tls};
  for (size_t i = 0; i < options.targets.size(); ++i) {
    const Status added = AddTarget(options, *settings, *common, options.targets[i], &plan);
    if (added) continue;
    const std::string which = options.targets.size() == 1 ? "TARGET" : fmt::format("TARGET {}", i + 1);
    return Fail(fmt::format("{}: {}", which, added.error().message));
  }
  return plan;
}

}  // namespace apiquota::cli
