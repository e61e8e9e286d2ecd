#include "cli/curl_output.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/text.h"

namespace apiquota::cli {
namespace {

// Takes a line off the front, without its LF or CRLF.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "HTTP/1.1 429 Too Many Requests", "HTTP/2 200", "HTTP/3 200 ": the status.
std::optional<int> StatusOf(std::string_view line) {
  constexpr std::array<std::string_view, 6> kVersions = {"HTTP/1.1 ", "HTTP/1.0 ", "HTTP/2 ",
                                                         "HTTP/2.0 ", "HTTP/3 ",   "HTTP/3.0 "};
  for (const std::string_view version : kVersions) {
    if (!StartsWithIgnoreCase(line, version)) continue;
    const std::string_view rest = line.substr(version.size());
    const auto status = ParseDigits(rest.substr(0, 3));
    const bool ends = rest.size() == 3 || (rest.size() > 3 && rest[3] == ' ');
    if (status && *status >= 100 && *status <= 599 && ends) return static_cast<int>(*status);
  }
  return std::nullopt;
}

// Whether another block begins here.
bool BlockFollows(std::string_view text) { return StatusOf(TakeLine(&text)).has_value(); }

void ParseFields(std::string_view* text, http::Fields* fields) {
  std::string name, value;
  const auto add = [&] {
    if (!name.empty()) fields->Add(name, Trim(value));
  };
  while (!text->empty()) {
    const std::string_view line = TakeLine(text);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {  // a folded line goes on with the value (RFC 9112 5.2)
      value.append(" ").append(Trim(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    add();
    name = Trim(line.substr(0, colon));
    value = Trim(line.substr(colon + 1));
  }
  add();
}

}  // namespace

Result<PrintedResponse> ParseCurlOutput(std::string_view text) {
  while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
  PrintedResponse response;
  do {
    const auto status = StatusOf(TakeLine(&text));
    if (!status)
      return Fail("expected what `curl -i` prints, beginning with a status line such as \"HTTP/1.1 200 OK\"");
    response.status = *status;
    response.fields.Clear();
    ParseFields(&text, &response.fields);
    // Bodies of earlier blocks, where their length says so.
    const auto length = ParseDigits(response.fields.Find("content-length").value_or(""));
    if (length && *length > 0 && *length < text.size() && BlockFollows(text.substr(*length))) {
      text.remove_prefix(*length);
    }
  } while (BlockFollows(text));
  response.body = text;
  return response;
}

}  // namespace apiquota::cli
