// Answers of our own: told apart from the provider's by Proxy-Status (RFC 9209) and by a body that
// says who speaks.
#include "base/text.h"
#include "http/date.h"
#include "http/forward.h"
#include "http/quoted_text.h"

namespace apiquota::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {508, "Loop Detected"},
};

// What a status must come with (RFC 9110 sections 15.5.2 and 15.5.6). Only pages of the agent's own that want
// a token, or are for reading alone, answer so.
std::string_view RequiredField(int status) {
  if (status == 401) return "WWW-Authenticate: Bearer realm=\"apiquota\"\r\n";
  if (status == 405) return "Allow: GET, HEAD\r\n";
  return {};
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "";
}

void AppendOwnAnswer(const OwnAnswer& answer, SystemTime now, std::string* out) {
  std::string body = R"({"error":{"source":"apiquota","rule":)";
  AppendJsonString(answer.rule, &body);
  body.append(R"(,"message":)");
  AppendJsonString(answer.detail, &body);
  body.append("}}\n");

  out->append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  out->append(ReasonPhrase(answer.status)).append("\r\n");
  out->append("Date: ").append(FormatHttpDate(now)).append("\r\n");
  out->append("Content-Type: application/json\r\n");
  out->append(answer.fields).append(RequiredField(answer.status));
  out->append("Proxy-Status: apiquota");
  if (IsToken(answer.proxy_status_error)) out->append("; error=").append(answer.proxy_status_error);
  out->append("; details=");
  AppendStructuredString(answer.detail, out);
  out->append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  if (answer.close) {
    out->append("Connection: close\r\n");
  } else if (answer.client_minor_version == 0) {
    out->append("Connection: keep-alive\r\n");
  }
  out->append("\r\n");
  if (!answer.head_request) out->append(body);
}

}  // namespace apiquota::http
