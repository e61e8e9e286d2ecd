// What `curl -i` prints, as values: one or more blocks of status line and headers, then the last one's body.
// Lenient in what a terminal or an editor may have done to it (LF, CRLF, any case), strict about there being
// a status line. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/fields.h"

namespace apiquota::cli {

struct PrintedResponse {
  int status = 0;
  http::Fields fields;
  std::string_view body;  // a part of the text given
};

// The last block: those before it are 1xx, redirects or a proxy's answer to CONNECT.
Result<PrintedResponse> ParseCurlOutput(std::string_view text);

}  // namespace apiquota::cli
