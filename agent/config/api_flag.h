// `--api NAME=EXPORTER@URL`: one api without a file. Its route is /NAME; credentials pass through.
#pragma once

#include <string>

#include "apis/options.h"
#include "base/error.h"
#include "config/config.h"

namespace apiquota::config {

// The first mistake in one sentence that begins with the flag.
Result<apis::ApiOptions> ParseApiFlag(const std::string& flag, const LoadContext& context);

}  // namespace apiquota::config
