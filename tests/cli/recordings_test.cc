// Every exporter is held to recordings: tests/providers/<exporter>/<case>.http is what `curl -i` prints,
// below lines
// "# source: …" and "# request: METHOD URL"; <case>.json is the whole of what `explain --format json` says
// about it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/embedded.h"
#include "cli/explain.h"
#include "expose/exporter_summary.h"
#include "provider/exporter.h"
#include "tests/cli/fake_clock.h"

namespace apiquota::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const FakeClock kClock(SystemTime(std::chrono::seconds(1'700'000'000)));

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Recording {
  std::string exporter;
  std::string source;
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
    } else {
      recording.response += line + "\n";
    }
  }
  return recording;
}

std::vector<fs::path> RecordingFiles() {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(APIQUOTA_SOURCE_DIR) / "tests/providers")) {
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
    EXPECT_EQ(std::pair(summary.documented, summary.inferred), counts[summary.name]) << summary.name;
  }
}

TEST(RecordingsTest, EachExporterIsFoundByItsHost) {
  for (const fs::path& file : RecordingFiles()) {
    const Recording recording = Load(file);
    EXPECT_EQ(json::parse(Explain(recording, ""))["exporter"], recording.exporter) << file;
  }
}

TEST(RecordingsTest, EveryExporterHasAnOrdinaryAndAThrottledOne) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const fs::path& file : RecordingFiles()) {
    const json expected = json::parse(ReadAll(fs::path(file).replace_extension(".json")));
    auto& [ordinary, throttled] = counts[file.parent_path().filename()];
    (expected["throttle"].is_null() ? ordinary : throttled) += 1;
  }
  const auto catalogue = provider::Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value()) << catalogue.error().message;
  for (const auto& exporter : catalogue->All()) {
    const auto& [ordinary, throttled] = counts[Info(*exporter).name];
    EXPECT_GT(ordinary, 0) << Info(*exporter).name;
    EXPECT_GT(throttled, 0) << Info(*exporter).name;
  }
}

}  // namespace
}  // namespace apiquota::cli
