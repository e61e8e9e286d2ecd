// HAR, the archive that browsers and proxies save ("Save all as HAR"; http://www.softwareishard.com/blog/
// har-12-spec/): a whole file, its log, a list of entries, or one entry. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/printed_exchange.h"

namespace apiquota::cli {

// Whether this is JSON that speaks of requests and responses.
bool LooksLikeHar(std::string_view text);

// Its entries in the file's order; one that was never answered has status 0. Never empty.
Result<std::vector<PrintedExchange>> ParseHar(std::string_view text);

}  // namespace apiquota::cli
