// Whole files in, whole files out. Errors are one sentence with the path and the system's reason.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace apiquota::app {

// At most 64 MiB.
Result<std::string> ReadWholeFile(const std::string& path);

// Readers see the old file or the new one, never a part, also after a crash: written beside it (mode 0600),
// flushed to disk, renamed over it, and the directory flushed.
Status WriteFileAtomically(const std::string& path, std::string_view text);

}  // namespace apiquota::app
