// What one exporter file is about, in a line of `apiquota exporters`: small enough that the list of all of
// them is made at build time and shown without reading a single file. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "provider/catalogue.h"

namespace apiquota::expose {

struct ExporterSummary {
  provider::ExporterCard card;
  std::string title;
  std::string docs;
  bool charges_tokens = false;           // it is known how tokens are counted against limits
  bool refusal = false;                  // … and how the API writes an error
  bool not_modified_is_free = false;     // a 304 takes nothing from the quotas
  std::vector<std::string> quotas = {};  // names, as the file writes them: "requests", "*", "unified-*"
  // Recorded responses that hold the file to the API: written from its documentation, or inferred.
  int documented = 0;
  int inferred = 0;

  friend bool operator==(const ExporterSummary&, const ExporterSummary&) = default;
};

// Without recordings: a file does not know how it is tested.
ExporterSummary Summarize(const provider::Exporter& exporter);

// Counts a recording's first line, "# source: documented: URL" or "# source: inferred …"; false if it is
// neither.
bool CountRecording(std::string_view first_line, ExporterSummary* summary);

// {"exporters": [{"name", "title", "docs", "hosts", "self_hosted", "base_url", "not_proxyable", "credential",
// "polled", "detect", "charges_tokens", "refusal", "not_modified_is_free", "quotas", "recordings":
// {"documented", "inferred"}}]}, indented, with a final newline; and back.
std::string SummariesAsJson(const std::vector<ExporterSummary>& summaries);
Result<std::vector<ExporterSummary>> ReadSummaries(std::string_view json);

// A line per exporter, aligned; a sum at the end.
std::string SummariesAsText(const std::vector<ExporterSummary>& summaries);

}  // namespace apiquota::expose
