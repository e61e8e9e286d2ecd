// An exchange as a recording for tests/providers: what the exporter's rules read and what looks like a limit,
// of the rest the kinds, and nothing that could be a credential, an account or a request's name. An
// allow-list: what is not known to be harmless is left out. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/printed_exchange.h"
#include "provider/exporter.h"
#include "provider/signals.h"

namespace apiquota::cli {

struct RecordingOptions {
  std::string source;                    // "documented: URL" or "inferred …"
  SystemTime received_at;                // becomes its Date if the response has none
  std::vector<provider::Unread> unread;  // of the original: names of headers that look like limits
};

// The text of a .http file.
std::string RedactedRecording(const provider::Exporter& exporter, const PrintedExchange& printed,
                              const RecordingOptions& options);

}  // namespace apiquota::cli
