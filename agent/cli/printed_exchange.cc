#include "cli/printed_exchange.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace apiquota::cli {
namespace {

constexpr std::array<std::string_view, 6> kVersions = {"HTTP/1.1", "HTTP/1.0", "HTTP/2",
                                                       "HTTP/2.0", "HTTP/3",   "HTTP/3.0"};
constexpr std::string_view kExpected =
    "expected what `curl -i`, `curl -v`, `wget -S` or `http --print=hb` prints, with a status line such as "
    "\"HTTP/1.1 200 OK\"; a recording; or a HAR file";

// Takes a line off the front, without its LF or CRLF.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view WithoutBlankStart(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

std::string_view WithoutBlankEnds(std::string_view text) {
  return WithoutBlankStart(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
}

// Without the byte order mark of some editors and the colours of some terminals (CSI sequences).
std::string Plain(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string plain;
  plain.reserve(text.size());
  for (size_t at = text.find("\x1b["); at != std::string_view::npos; at = text.find("\x1b[")) {
    plain += text.substr(0, at);
    const size_t last = text.find_first_not_of("0123456789;:?", at + 2);
    text.remove_prefix(last == std::string_view::npos ? text.size() : last + 1);
  }
  return plain += text;
}

// Whether a message begins here: its first line, and then a field or nothing at all.
bool MessageBegins(std::string_view text) {
  const std::string_view first = TakeLine(&text);
  if (StatusOfLine(first) == 0 && !IsRequestLine(first)) return false;
  const std::string_view second = TakeLine(&text);
  return Trim(second).empty() || IsFieldLine(second);
}

// Bodies may speak of HTTP, too: there it takes a field to believe it.
bool MessageBeginsInBody(std::string_view text) {
  if (!MessageBegins(text)) return false;
  TakeLine(&text);
  return IsFieldLine(TakeLine(&text));
}

// Whether a body of this type may quote a message line by line. JSON and events can't.
bool MayQuoteMessages(const http::Fields& fields) {
  const std::string type = ToLower(fields.Find("content-type").value_or(""));
  return (type.starts_with("text/") && !type.starts_with("text/event-stream")) ||
         type.starts_with("message/");
}

// Where the next message begins behind this head, if one does.
std::optional<size_t> FindNextMessage(std::string_view rest, const http::Fields& fields) {
  const auto begins_at = [&](size_t at) -> std::optional<size_t> {
    const std::string_view text = WithoutBlankStart(rest.substr(at));
    return MessageBegins(text) ? std::optional(rest.size() - text.size()) : std::nullopt;
  };
  if (const auto next = begins_at(0)) return next;
  const auto length = ParseDigits(fields.Find("content-length").value_or(""));
  if (length && *length < rest.size()) {
    if (const auto next = begins_at(*length)) return next;
  }
  if (MayQuoteMessages(fields)) return std::nullopt;
  for (size_t at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n', at + 1)) {
    if (MessageBeginsInBody(rest.substr(at + 1))) return at + 1;
  }
  return std::nullopt;
}

http::Fields TakeFields(std::string_view* text) {
  http::Fields fields;
  std::string name, value;
  const auto add = [&] {
    if (!name.empty()) fields.Add(name, Trim(value));
  };
  while (!text->empty()) {
    std::string_view rest = *text;
    const std::string_view line = TakeLine(&rest);
    if (StatusOfLine(line) != 0) break;  // nobody left a blank line
    *text = rest;
    if (Trim(line).empty()) break;
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
  return fields;
}

void SetRequest(std::string_view line, http::Fields fields, PrintedExchange* exchange) {
  *exchange = {};
  const size_t target = line.find(' ') + 1;
  exchange->method = line.substr(0, target - 1);
  SetTarget(line.substr(target, line.rfind(' ') - target), exchange);
  if (const auto host = fields.Find("host")) exchange->host = HostWithoutPort(*host);
  exchange->request_fields = std::move(fields);
}

// A recording's first lines are comments. "# request: GET https://example.com/v1" stands for such a request:
// the head of one is what is returned. An origin alone says nothing of the path.
std::string TakeComments(std::string* text) {
  std::string request;
  std::string_view rest = WithoutBlankStart(*text);
  constexpr std::string_view kRequest = "# request:";
  while (rest.starts_with('#')) {
    const std::string_view line = TakeLine(&rest);
    rest = WithoutBlankStart(rest);
    if (!line.starts_with(kRequest)) continue;
    const std::string_view said = Trim(line.substr(kRequest.size()));
    const size_t space = said.rfind(' ');
    std::string_view url = said.substr(space == std::string_view::npos ? 0 : space + 1);
    if (std::ranges::count(url, '/') == 3 && url.ends_with('/')) url.remove_suffix(1);
    const std::string_view method = space == std::string_view::npos ? "GET" : said.substr(0, said.find(' '));
    request = std::string(method).append(" ").append(url).append(" HTTP/1.1\n\n");
    if (!IsRequestLine(std::string_view(request).substr(0, request.size() - 2))) request.clear();
  }
  if (rest.size() < WithoutBlankStart(*text).size()) *text = std::string(rest);  // else its blanks may matter
  return request;
}

Error Unreadable(std::string_view text) {
  text = WithoutBlankStart(text);
  if (text.empty()) return {"the input is empty: " + std::string(kExpected)};
  if (text.front() == '{' || text.front() == '[' || text.front() == '<') {
    return {"the input has a body and no head: " + std::string(kExpected)};
  }
  return {std::string(kExpected)};
}

}  // namespace

int StatusOfLine(std::string_view line) {
  for (const std::string_view version : kVersions) {
    if (!StartsWithIgnoreCase(line, version) || line.substr(version.size(), 1) != " ") continue;
    const std::string_view rest = Trim(line.substr(version.size()));
    const auto status = ParseDigits(rest.substr(0, 3));
    const bool ends = rest.size() == 3 || (rest.size() > 3 && rest[3] == ' ');
    if (status && *status >= 100 && *status <= 999 && ends) return static_cast<int>(*status);
  }
  return 0;
}

bool IsFieldLine(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  return name.size() < line.size() && !name.empty() &&
         name.find_first_of(" \t\"{}<>") == std::string_view::npos;
}

bool IsRequestLine(std::string_view line) {
  const size_t method = line.find(' ');
  const size_t version = line.rfind(' ');
  if (method == std::string_view::npos || method == 0 || version <= method + 1) return false;
  const bool upper = std::ranges::all_of(line.substr(0, method), [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto same = [&](std::string_view known) { return EqualsIgnoreCase(line.substr(version + 1), known); };
  return upper && std::ranges::any_of(kVersions, same);
}

std::string HostWithoutPort(std::string_view authority) {
  if (const size_t user = authority.rfind('@'); user != std::string_view::npos)
    authority.remove_prefix(user + 1);
  const size_t port = authority.rfind(':');
  if (port != std::string_view::npos && authority.find(']', port) == std::string_view::npos) {
    authority = authority.substr(0, port);
  }
  return ToLower(authority);
}

void SetTarget(std::string_view target, PrintedExchange* exchange) {
  if (const size_t scheme = target.find("://");
      scheme != std::string_view::npos && !target.starts_with('/')) {
    target.remove_prefix(scheme + 3);
    const size_t path = std::min(target.find_first_of("/?#"), target.size());
    exchange->host = HostWithoutPort(target.substr(0, path));
    target.remove_prefix(path);
  }
  target = target.substr(0, target.find('#'));
  const size_t query = std::min(target.find('?'), target.size());
  exchange->path = std::string(target.substr(0, query));
  exchange->query = std::string(target.substr(std::min(query + 1, target.size())));
}

Result<PrintedExchange> ParsePrintedExchange(std::string_view input) {
  std::string plain = Plain(input);
  const std::string request = TakeComments(&plain);
  if (!MessageBegins(WithoutBlankStart(plain))) {
    std::string unmarked = WithoutCurlMarks(plain);
    if (unmarked.empty()) unmarked = WithoutWgetMarks(plain);
    if (!unmarked.empty()) plain = std::move(unmarked);
  }
  std::string_view start = WithoutBlankStart(plain);
  const std::string_view first_line = TakeLine(&start);
  if (StatusOfLine(first_line) == 0 && !IsRequestLine(first_line)) {
    return std::unexpected(Unreadable(plain));
  }
  plain.insert(0, request);  // one that the text shows itself knows better
  std::string_view text = WithoutBlankStart(plain);
  PrintedExchange exchange;
  for (;;) {
    const std::string_view first = TakeLine(&text);
    const int status = StatusOfLine(first);  // else a request begins: FindNextMessage saw to it
    http::Fields fields = TakeFields(&text);
    const auto next = FindNextMessage(text, status == 0 ? http::Fields() : fields);
    if (status == 0) {
      SetRequest(first, std::move(fields), &exchange);
      if (!next) return Fail("the input has a request and no response: " + std::string(kExpected));
      exchange.request_body = WithoutBlankEnds(text.substr(0, *next));
    } else if (!next) {
      exchange.status = status;
      exchange.fields = std::move(fields);
      exchange.body = text;
      return exchange;
    }
    text.remove_prefix(*next);
  }
}

}  // namespace apiquota::cli
