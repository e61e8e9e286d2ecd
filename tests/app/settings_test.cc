#include "app/settings.h"

#include <algorithm>

#include "tests/base/temporary_directory.h"

namespace apiquota::app {
namespace {

constexpr char kTinyExporter[] =
    "name: tiny\ntitle: Tiny\nhosts: [api.tiny.example]\nbase_url: https://api.tiny.example\n"
    "quotas:\n  - quota: requests\n    unit: requests\n    kind: fixed\n    limit: {header: x-limit}\n";

// "name exporter base_url route" of every api.
std::vector<std::string> Apis(const ServeOptions& options) {
  const Result<Settings> settings = LoadSettings(options);
  if (!settings) return {settings.error().message};
  std::vector<std::string> lines;
  for (const apis::ApiOptions& api : settings->config.apis) {
    lines.push_back(api.name + " " + api.exporter + " " + (api.base_url_by_operator ? api.base_url : "-") +
                    " " + api.route);
  }
  return lines;
}

TEST(SettingsTest, WithoutAFileEveryExporterWithABaseUrlIsAnApi) {
  for (const std::string& line : Apis({})) {
    const std::string name = line.substr(0, line.find(' '));
    EXPECT_EQ(line, name + " " + name + " - /" + name);
  }
  const std::vector<std::string> apis = Apis({});
  EXPECT_NE(std::ranges::find(apis, "openai openai - /openai"), apis.end());
  EXPECT_EQ(std::ranges::find(apis, "generic generic - /generic"), apis.end()) << "it has none";
}

TEST(SettingsTest, AFlagAddsAnApiOrReplacesADefaultOne) {
  ServeOptions options;
  options.apis = {"demo=github@http://127.0.0.1:1", "openai=openai@http://127.0.0.1:2/v1"};
  const std::vector<std::string> apis = Apis(options);
  EXPECT_EQ(apis.size(), Apis({}).size() + 1);
  EXPECT_EQ(apis.back(), "demo github http://127.0.0.1:1 /demo");
  EXPECT_NE(std::ranges::find(apis, "openai openai http://127.0.0.1:2/v1 /openai"), apis.end());
}

TEST(SettingsTest, TheGuardOfFlagAndFileIsThatOfApisWhichNoFileNames) {
  ServeOptions options;
  options.guard = guard::Mode::kOn;
  options.apis = {"demo=github@http://127.0.0.1:1"};
  const Result<Settings> flag = LoadSettings(options);
  ASSERT_TRUE(flag) << flag.error().message;
  for (const apis::ApiOptions& api : flag->config.apis)
    EXPECT_EQ(api.guard.mode, guard::Mode::kOn) << api.name;

  const TemporaryDirectory directory;
  options.config_file = directory.Write("c.yaml", "guard: {mode: shadow, cold_concurrency: 2}\n");
  const Result<Settings> file = LoadSettings(options);
  ASSERT_TRUE(file) << file.error().message;
  for (const apis::ApiOptions& api : file->config.apis) {
    EXPECT_EQ(api.guard.mode, guard::Mode::kShadow) << api.name;
    EXPECT_EQ(api.guard.cold_concurrency, 2u) << api.name;
  }
}

TEST(SettingsTest, AFileThatNamesApisHasNoOthers) {
  const TemporaryDirectory directory;
  ServeOptions options;
  options.config_file = directory.Write("c.yaml", "apis:\n  - {name: a, exporter: openai, route: /o}\n");
  options.apis = {"b=github@http://127.0.0.1:1"};
  EXPECT_EQ(Apis(options), (std::vector<std::string>{"a openai - /o", "b github http://127.0.0.1:1 /b"}));
}

TEST(SettingsTest, AnApiFlagThatCannotBeIsOneSentence) {
  const TemporaryDirectory directory;
  ServeOptions options;
  options.config_file = directory.Write("c.yaml", "apis:\n  - {name: a, exporter: openai, route: /o}\n");
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"demo"}, "--api: expected NAME=EXPORTER@URL, such as demo=github@http://127.0.0.1:8080"},
      {{"demo=github"}, "--api: expected NAME=EXPORTER@URL, such as demo=github@http://127.0.0.1:8080"},
      {{"de mo=github@http://x"},
       "--api: expected a name of at most 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or "
       "digit"},
      {{"demo=gihub@http://x"}, "--api: unknown exporter; did you mean \"github\"?"},
      {{"demo=github@ftp://x"}, "--api: base URL: expected http:// or https://"},
      {{"a=github@http://x"}, "--api: there is an api of this name already"},
      {{"o=github@http://x"}, "--api: another api has the route of this name"},
      {{"b=github@http://x", "b=github@http://y"}, "--api: there is an api of this name already"},
  };
  for (const auto& [flags, complaint] : cases) {
    options.apis = flags;
    EXPECT_EQ(Apis(options), std::vector<std::string>{complaint});
  }
}

TEST(SettingsTest, FlagsWinOverTheFile) {
  const TemporaryDirectory directory;
  ServeOptions options;
  options.config_file =
      directory.Write("c.yaml", "admin: {listen: \":1\"}\nproxy: {listen: \":2\", loops: 3}\n");
  options.admin_listen = net::ListenAddress{"127.0.0.1", 3};
  options.proxy_listen = net::ListenAddress{"127.0.0.1", 4};
  options.enable_lifecycle = true;
  const Result<Settings> settings = LoadSettings(options);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->config.admin.listen, options.admin_listen);
  EXPECT_EQ(settings->config.proxy.listen, options.proxy_listen);
  EXPECT_EQ(settings->config.proxy.loops, 3);
  EXPECT_TRUE(settings->config.admin.enable_lifecycle);
}

TEST(SettingsTest, ExportersOfADirectoryAreAdded) {
  const TemporaryDirectory directory;
  directory.Write("tiny.yaml", kTinyExporter);
  directory.Write("notes.txt", "not an exporter");
  ServeOptions options;
  options.exporters_dir = directory.path();
  const std::vector<std::string> apis = Apis(options);
  EXPECT_NE(std::ranges::find(apis, "tiny tiny - /tiny"), apis.end());
  options.exporters_dir = directory / "missing";
  EXPECT_EQ(Apis(options),
            std::vector<std::string>{"--exporters.dir: cannot read the folder: No such file or directory"});
}

}  // namespace
}  // namespace apiquota::app
