#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/catalogue.h"
#include "config/api_flag.h"
#include "config/web_config.h"
#include "http/forward.h"
#include "net/tls_context.h"

namespace apiquota::app {
namespace {

// Every exporter with a base URL of its own, with the caller's own credential passed through.
std::vector<apis::ApiOptions> DefaultApis(const provider::Catalogue& exporters, const guard::Options& guard) {
  std::vector<apis::ApiOptions> apis;
  for (const provider::ExporterCard* card : exporters.Cards()) {
    if (card->base_url.empty() || !card->not_proxyable.empty()) continue;
    apis::ApiOptions& api = apis.emplace_back();
    api.name = card->name;
    api.implied = true;
    api.exporter = card->name;
    api.route = "/" + card->name;
    api.guard = guard;
  }
  return apis;
}

// A flag's api takes the place of a default one of its name; beside one of the file it is a mistake.
Status AddApi(apis::ApiOptions api, bool may_replace, std::vector<apis::ApiOptions>* apis) {
  const auto same = [&](const apis::ApiOptions& other) {
    return other.name == api.name || other.route == api.route;
  };
  const auto found = std::ranges::find_if(*apis, same);
  if (found == apis->end()) {
    apis->push_back(std::move(api));
  } else if (may_replace && found->name == api.name) {
    *found = std::move(api);
  } else if (found->name == api.name) {
    return Fail("--api: there is an api of this name already");
  } else {
    return Fail("--api: another api has the route of this name");
  }
  return {};
}

Status AddFlagApis(const ServeOptions& options, const config::LoadContext& context, config::Config* config) {
  std::vector<std::string> from_flags;
  for (const std::string& flag : options.apis) {
    Result<apis::ApiOptions> api = config::ParseApiFlag(flag, context);
    if (!api) return std::unexpected(api.error());
    api->guard = config->guard;
    const bool second = std::ranges::find(from_flags, api->name) != from_flags.end();
    from_flags.push_back(api->name);
    if (const Status added = AddApi(std::move(*api), config->default_apis && !second, &config->apis);
        !added) {
      return added;
    }
  }
  return {};
}

// The flags' web configurations, which win over the file's.
Status AddFlagWebConfigs(const ServeOptions& options, const config::LoadContext& context,
                         config::Config* config) {
  if (!options.admin_web_config.empty()) {
    auto web = config::LoadWebConfigFile(options.admin_web_config, context, "--web.config.file");
    if (!web) return std::unexpected(web.error());
    config->admin.web = std::move(*web);
  }
  if (options.proxy_web_config.empty()) return {};
  auto web = config::LoadWebConfigFile(options.proxy_web_config, context, "--proxy.config.file");
  if (!web) return std::unexpected(web.error());
  if (const Status fits = config::CheckForProxy(*web); !fits) {
    return Fail("--proxy.config.file: " + fits.error().message);
  }
  config->proxy.web = std::move(*web);
  return {};
}

}  // namespace

config::LoadContext ContextOf(const provider::Catalogue& exporters) {
  config::LoadContext context;
  for (const provider::ExporterCard* card : exporters.Cards()) {
    context.exporters.push_back(card->name);
    if (!card->base_url.empty()) context.exporters_with_base_url.push_back(card->name);
    if (!card->not_proxyable.empty()) context.not_proxyable.emplace(card->name, card->not_proxyable);
    if (card->credential) context.exporters_with_credential.push_back(card->name);
    if (card->polled) context.exporters_with_poll.push_back(card->name);
  }
  context.check_base_url = [](std::string_view url) -> Status {
    const auto base = http::ParseBaseUrl(url);
    return base ? Status{} : std::unexpected(base.error());
  };
  context.check_tls_server = [](const net::TlsServerOptions& tls) -> Status {
    const auto server = net::TlsServer::Create(tls);
    return server ? Status{} : std::unexpected(server.error());
  };
  return context;
}

Result<Settings> LoadSettings(const ServeOptions& options) {
  Result<provider::Catalogue> exporters = LoadCatalogue(options.exporters_dir);
  if (!exporters) return std::unexpected(exporters.error());
  config::LoadContext context = ContextOf(*exporters);
  context.proxy_listen = options.proxy_listen;
  context.guard_mode = options.guard;

  config::Config config;
  config.guard.mode = options.guard;
  if (!options.config_file.empty()) {
    Result<config::Config> loaded = config::LoadConfigFile(options.config_file, context);
    if (!loaded) return std::unexpected(loaded.error());
    config = std::move(*loaded);
  }
  if (config.default_apis) config.apis = DefaultApis(*exporters, config.guard);
  if (const Status added = AddFlagApis(options, context, &config); !added)
    return std::unexpected(added.error());
  if (const Status added = AddFlagWebConfigs(options, context, &config); !added)
    return std::unexpected(added.error());
  if (options.admin_listen) config.admin.listen = *options.admin_listen;
  if (options.proxy_listen) config.proxy.listen = *options.proxy_listen;
  config.proxy.access_log = options.log_access;
  config.admin.enable_lifecycle = options.enable_lifecycle;
  return Settings{std::move(*exporters), std::move(config)};
}

}  // namespace apiquota::app
