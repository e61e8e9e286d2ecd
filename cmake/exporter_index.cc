// Built and run by the build: the list that `apiquota exporters` shows, with how many recordings each
// exporter is held to. exporter_index OUTPUT RECORDINGS_DIR
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "expose/exporter_summary.h"
#include "provider/catalogue.h"

namespace apiquota {
namespace {

namespace fs = std::filesystem;

Status CountRecordings(const fs::path& folder, expose::ExporterSummary* summary) {
  std::error_code none;  // a source tree without tests: no recordings
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() != ".http") continue;
    std::string line;
    std::getline(std::ifstream(entry.path()) >> std::ws, line);
    if (!expose::CountRecording(line, summary)) {
      return Fail(entry.path().string() +
                  ":1: expected \"# source: documented: URL\" or \"# source: inferred …\"");
    }
  }
  return {};
}

Status WriteIndex(const fs::path& output, const fs::path& recordings) {
  const auto catalogue = provider::Catalogue::Embedded();
  if (!catalogue) return std::unexpected(catalogue.error());
  std::vector<expose::ExporterSummary> summaries;
  for (const provider::ExporterPtr& exporter : catalogue->All()) {
    summaries.push_back(expose::Summarize(*exporter));
    const Status counted = CountRecordings(recordings / summaries.back().card.name, &summaries.back());
    if (!counted) return counted;
  }
  std::ofstream file(output, std::ios::binary);
  file << expose::SummariesAsJson(summaries);
  file.close();
  return file ? Status() : Fail("cannot write " + output.string());
}

}  // namespace
}  // namespace apiquota

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "expected: exporter_index OUTPUT RECORDINGS_DIR\n";
    return 2;
  }
  const apiquota::Status written = apiquota::WriteIndex(argv[1], argv[2]);
  if (!written) std::cerr << written.error().message << "\n";
  return written ? 0 : 2;
}
