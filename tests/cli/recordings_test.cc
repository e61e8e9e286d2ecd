// Every exporter is held to recordings: tests/providers/<exporter>/<case>.http is what `curl -i` prints,
// below lines
// "# source: …" and "# request: METHOD URL"; <case>.json is the whole of what `explain --format json` says
// about it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apis/poll_target.h"
#include "app/catalogue.h"
#include "base/embedded.h"
#include "cli/explain.h"
#include "cli/printed_exchange.h"
#include "expose/exporter_summary.h"
#include "provider/catalogue.h"
#include "tests/base/fake_clock.h"
#include "tests/source_dir.h"

namespace apiquota::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const FakeClock kClock(SystemTime(std::chrono::seconds(1'700'000'000)));

const fs::path kRecordings = fs::path(SourceDir()) / "tests/providers";

const provider::Catalogue& Exporters() {
  static const provider::Catalogue catalogue = *app::LoadCatalogue("");
  return catalogue;
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Recording {
  std::string exporter;
  std::string source;
  std::string method;
  std::string url;
  std::string response;
  fs::path expected;
};

Recording Load(const fs::path& path) {
  Recording recording;
  recording.exporter = path.parent_path().filename();
  recording.expected = fs::path(path).replace_extension(".json");
  std::istringstream lines(ReadAll(path));
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# source: ")) {
      recording.source = line.substr(10);
    } else if (line.starts_with("# request: ")) {
      recording.url = line.substr(line.rfind(' ') + 1);
      recording.method = line.substr(11, line.find(' ', 11) - 11);
    } else {
      recording.response += line + "\n";
    }
  }
  return recording;
}

std::vector<fs::path> RecordingFiles() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kRecordings)) {
    if (entry.path().extension() == ".http") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string Explain(const Recording& recording, const std::string& exporter) {
  ExplainOptions options;
  options.exporter = exporter;
  options.request_url = recording.url;
  options.format = "json";
  std::istringstream in(recording.response);
  std::ostringstream out, err;
  RunExplain(options, kClock, in, out, err);
  return out.str() + err.str();
}

TEST(RecordingsTest, EachIsReadAsItsJsonSays) {
  for (const fs::path& file : RecordingFiles()) {
    SCOPED_TRACE(file.string());
    const Recording recording = Load(file);
    EXPECT_EQ(Explain(recording, recording.exporter), ReadAll(recording.expected));
  }
}

TEST(RecordingsTest, ExplainReadsThemAsTheyStand) {
  for (const fs::path& file : RecordingFiles()) {
    ExplainOptions options;
    options.exporter = file.parent_path().filename();
    options.format = "json";
    options.file = file.string();
    std::istringstream nothing;
    std::ostringstream out, err;
    RunExplain(options, kClock, nothing, out, err);
    EXPECT_EQ(out.str() + err.str(), ReadAll(fs::path(file).replace_extension(".json"))) << file;
  }
}

TEST(RecordingsTest, EachSaysWhereItComesFrom) {
  for (const fs::path& file : RecordingFiles()) {
    const std::string source = Load(file).source;
    EXPECT_TRUE(source.starts_with("documented: https://") || source.starts_with("inferred")) << file;
  }
}

TEST(RecordingsTest, TheListOfExportersCountsThem) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const fs::path& file : RecordingFiles()) {
    auto& [documented, inferred] = counts[file.parent_path().filename()];
    (Load(file).source.starts_with("documented") ? documented : inferred) += 1;
  }
  const auto listed = expose::ReadSummaries(Embedded_exporter_index().front().text);
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
  for (const expose::ExporterSummary& summary : *listed) {
    EXPECT_EQ(std::pair(summary.documented, summary.inferred), counts[summary.card.name])
        << summary.card.name;
  }
}

TEST(RecordingsTest, EachExporterIsFoundByItsHost) {
  for (const fs::path& file : RecordingFiles()) {
    const Recording recording = Load(file);
    const auto printed = ParsePrintedExchange(recording.response);
    ASSERT_TRUE(printed.has_value()) << file << ": " << printed.error().message;
    const size_t host = recording.url.find("://") + 3;
    const size_t path = std::min(recording.url.find_first_of("/?", host), recording.url.size());
    const std::string name = HostWithoutPort(recording.url.substr(host, path - host));
    EXPECT_EQ(Info(*Exporters().Detect(name, printed->fields)).name, recording.exporter) << file;
  }
}

TEST(RecordingsTest, WithoutAKnownHostNoneIsTakenForAnothers) {
  for (const fs::path& file : RecordingFiles()) {
    const Recording recording = Load(file);
    const auto printed = ParsePrintedExchange(recording.response);
    ASSERT_TRUE(printed.has_value()) << file << ": " << printed.error().message;
    for (const char* host : {"", "api.customer.example"}) {
      const std::string found = Info(*Exporters().Detect(host, printed->fields)).name;
      if (found == "generic") continue;
      EXPECT_EQ(found, recording.exporter) << file << " under \"" << host << "\"";
    }
  }
}

TEST(RecordingsTest, EveryFileIsPartOfOne) {
  for (const auto& entry : fs::recursive_directory_iterator(kRecordings)) {
    const fs::path& path = entry.path();
    if (entry.is_directory()) {
      EXPECT_NE(Exporters().Find(path.filename().string()), nullptr) << path << ": no such exporter";
      continue;
    }
    const bool http = path.extension() == ".http";
    EXPECT_TRUE(http || path.extension() == ".json") << path << ": nothing reads this file";
    EXPECT_TRUE(fs::exists(fs::path(path).replace_extension(http ? ".json" : ".http")))
        << path << ": has no partner";
  }
}

// An ordinary response and a refused one, unless the file knows no refusals.
TEST(RecordingsTest, EveryExporterHasAnOrdinaryAndAThrottledOne) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const fs::path& file : RecordingFiles()) {
    const json expected = json::parse(ReadAll(fs::path(file).replace_extension(".json")));
    auto& [ordinary, throttled] = counts[file.parent_path().filename()];
    (expected["throttle"].is_null() ? ordinary : throttled) += 1;
  }
  for (const auto& exporter : Exporters().All()) {
    const auto& [ordinary, throttled] = counts[Info(*exporter).name];
    EXPECT_GT(ordinary, 0) << Info(*exporter).name;
    EXPECT_TRUE(throttled > 0 || Info(*exporter).throttles.empty()) << Info(*exporter).name;
  }
}

bool IsAnswerToPoll(const Recording& recording, const provider::ExporterInfo& info) {
  const std::string& base = info.base_url.empty() ? recording.url : info.base_url;
  const size_t path = std::min(base.find('/', base.find("://") + 3), base.size());
  const std::string base_path = info.base_url.empty() ? "" : base.substr(path);
  return recording.method == info.poll->method &&
         recording.url == base.substr(0, path) + apis::Joined(base_path, info.poll->path);
}

bool SaysALevel(const json& quota) {
  return !quota["limit"].is_null() || !quota["remaining"].is_null() || !quota["used"].is_null();
}

// What a file says is worth asking must be answered by numbers, and be read.
TEST(RecordingsTest, EveryPollBringsAReading) {
  std::map<std::string, int> brought;
  for (const fs::path& file : RecordingFiles()) {
    const Recording recording = Load(file);
    const auto exporter = Exporters().Find(recording.exporter);
    if (!Info(*exporter).poll || !IsAnswerToPoll(recording, Info(*exporter))) continue;
    const json said = json::parse(Explain(recording, recording.exporter));
    brought[recording.exporter] += static_cast<int>(std::ranges::count_if(said["quotas"], SaysALevel));
  }
  for (const auto& exporter : Exporters().All()) {
    const provider::ExporterInfo& info = Info(*exporter);
    if (!info.poll) continue;
    EXPECT_GT(brought[info.name], 0) << info.name << ": no recording of " << info.poll->method << " "
                                     << info.poll->path << " brings a reading";
  }
}

TEST(RecordingsTest, EveryExporterFileIsCalledAfterItsApiAndNamesItsDocumentation) {
  for (const EmbeddedFile& file : Embedded_exporters()) {
    const auto exporter = Exporters().Find(file.name.substr(0, file.name.size() - 5));
    ASSERT_NE(exporter, nullptr) << file.name << ": the name in it is another one";
    EXPECT_TRUE(Info(*exporter).docs.starts_with("https://")) << file.name << ": docs";
  }
}

}  // namespace
}  // namespace apiquota::cli
