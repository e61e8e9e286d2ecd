#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "config/config.h"
#include "config/listen_address.h"
#include "config/loader.h"

namespace apiquota::config {
namespace {

constexpr std::streamsize kFileBytesMax =
    2 * 1024 * 1024;  // the YAML reader refuses half of it with a position

// Injected keys are for configured callers, or for loopback clients only.
void CheckInjection(const YamlValue& apis_value, const Config& config) {
  if (IsLoopback(config.proxy.listen) || !config.callers.empty()) return;
  const std::vector<YamlValue> items = apis_value.AsList();
  for (size_t i = 0; i < items.size(); ++i) {
    const auto& keys = config.apis[i].keys;
    const auto key = std::ranges::find_if(keys, &apis::KeyOptions::inject_default);
    if (key == keys.end()) continue;
    items[i].Fail(fmt::format(
        "a key of this api is injected while the proxy listens on {} and nobody has to show a token; "
        "expected \"callers\", or a loopback address",
        ToText(config.proxy.listen)));
  }
}

}  // namespace

Result<Config> LoadConfig(const std::string& text, const std::string& file, const LoadContext& context) {
  auto document = YamlDocument::Parse(text, file);
  if (!document) return std::unexpected(document.error());

  Config config;
  YamlMap root = document->Root().AsSection();
  const Loader loader{context, DirectoryOf(file), CallerNames(document->Root().AsSection().Get("callers"))};
  LoadAdmin(root.Get("admin").AsSection(), loader, &config.admin);
  LoadProxy(root.Get("proxy").AsSection(), loader, &config.proxy);
  if (context.proxy_listen) config.proxy.listen = *context.proxy_listen;
  LoadPoller(root.Get("poller").AsSection(), &config.poller);
  LoadLedger(root.Get("ledger").AsSection(), &config.ledger);
  LoadMetrics(root.Get("metrics").AsSection(), &config.metrics);
  const YamlValue guard = root.Get("guard");
  config.guard = LoadGuard({&guard, 1}, loader);
  const YamlValue apis = root.Get("apis");
  config.default_apis = !apis.Present();
  config.apis = LoadApis(apis, loader, config.proxy.hosts, guard);
  config.callers = LoadCallers(root.Get("callers"), loader, config.apis);
  CheckInjection(apis, config);
  YamlMap state = root.Get("state").AsSection();
  config.state_file = LoadPath(state.Get("file"), loader);
  state.Finish();
  config.key_salt_file = LoadPath(root.Get("key_salt_file"), loader);
  root.Finish();
  if (document->error()) return std::unexpected(*document->error());
  return config;
}

std::string DirectoryOf(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

Result<std::string> ReadConfigText(const std::string& file, std::string_view named) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text;
  if (stream) {
    text.resize(kFileBytesMax);
    stream.read(text.data(), kFileBytesMax);
    text.resize(static_cast<size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    return Fail(fmt::format("cannot read {}: {}", named, std::generic_category().message(errno)));
  }
  return text;
}

Result<Config> LoadConfigFile(const std::string& file, const LoadContext& context, std::string_view named) {
  const Result<std::string> text = ReadConfigText(file, named);
  if (!text) return std::unexpected(text.error());
  return LoadConfig(*text, file, context);
}

}  // namespace apiquota::config
