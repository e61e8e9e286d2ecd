// What people have of an HTTP exchange, as values: the output of `curl -i`, `curl -v` (with or without the
// progress meter), `wget -S` and HTTPie (with or without the request), and recordings (tests/providers).
// Lenient in what a terminal or an editor may have done to it (LF, CRLF, colours, any case), strict about
// there being a status line. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/fields.h"

namespace apiquota::cli {

struct PrintedExchange {
  // Of the request, if it was shown; empty otherwise.
  std::string method;
  std::string host;  // lower case, without port
  std::string path;  // without the query
  std::string query;
  http::Fields request_fields;
  std::string request_body;

  // Of the response: the last one. Those before it are 1xx, redirects or a proxy's answer to CONNECT.
  int status = 0;
  http::Fields fields;
  std::string body;
  std::optional<SystemTime> received_at;  // where that is known beside what the response says
};

Result<PrintedExchange> ParsePrintedExchange(std::string_view text);

// Host, path and query of a request for this target: "/v1/models?limit=1", or a whole URL.
void SetTarget(std::string_view target, PrintedExchange* exchange);

// The host of "example.com:443" or "[::1]:443", lower case.
std::string HostWithoutPort(std::string_view authority);

// The status of a line such as "HTTP/1.1 429 Too Many Requests" or "HTTP/2 200"; 0 if it is none.
int StatusOfLine(std::string_view line);

// Whether a line begins a request, as in "GET /v1/models HTTP/1.1".
bool IsRequestLine(std::string_view line);

// Whether this may be a header's line, "name: value".
bool IsFieldLine(std::string_view line);

// What `curl -v` prints, without its marks: the last request and response as they went over the wire. Empty
// if no line is marked as a response's.
std::string WithoutCurlMarks(std::string_view text);

// The same for `wget -S`, whose heads are indented by two blanks; its request is a whole URL.
std::string WithoutWgetMarks(std::string_view text);

}  // namespace apiquota::cli
