// What a gateway changes on the way: hop-by-hop fields (RFC 9110 7.6.1), framing, Host,
// credentials. Pure: heads in, bytes of the next head out, appended to flat buffers. Everything
// else is forwarded verbatim and in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/codec.h"

namespace apiquota::http {

// "https://api.openai.com/v1" taken apart. `path` has no trailing slash ("" or "/v1").
struct BaseUrl {
  bool tls = false;
  std::string host;  // without brackets for IPv6
  uint16_t port = 0;
  std::string path;
  std::string authority;  // the Host field: port only if not the scheme's own

  friend bool operator==(const BaseUrl&, const BaseUrl&) = default;
};

// http or https, no userinfo, no query, no fragment. An error does not repeat the URL.
Result<BaseUrl> ParseBaseUrl(std::string_view text);

// The path-and-query a client asked for, taken from origin-form or absolute-form, whose authority
// is ignored (Host is rebuilt from the base URL); `*` and authority-form are refused. Also refused:
// '#', control bytes, and in the path %00,
// '\' and dot segments (also percent-encoded, also behind encoded slashes) that leave the first
// segment, the route's.
std::expected<std::string_view, Refusal> RequestPath(std::string_view target);

// The authority of an absolute-form target; nothing of origin-form.
std::optional<std::string_view> TargetAuthority(std::string_view target);

// "/openai/v1/models?x" under route "/openai" → "/v1/models?x"; nothing if the route does not match
// at a segment, or if dot segments leave it. A route has no trailing slash ("/" and "" match
// everything).
std::optional<std::string_view> PathUnderRoute(std::string_view path_and_query, std::string_view route);

// A client whose own paths begin with those of the API's base URL brings them along: "/api/v1/models" under a
// route whose base URL is https://openrouter.ai/api means "/v1/models". Whole segments, once, and not where
// dot segments in the rest would leave the base URL. The limit of this: what lies below a path of the base
// URL's own name ("/api/api/v1") is reached by writing both out.
std::string_view WithoutRepeatedBase(std::string_view path_and_query, std::string_view base_path);

struct UpstreamRequest {
  const RequestHead* head = nullptr;
  const BaseUrl* base = nullptr;
  std::string_view path;  // under the route, with the query
  // Set these fields, dropping what the client sent under the names; leave those others out (a
  // caller's token). Both also drop twins spelled with '_' for '-', which some upstreams can't tell
  // apart.
  std::vector<FieldView> replace = {};
  std::vector<std::string_view> drop = {};
  std::string_view pseudonym = "apiquota";  // in Via
  std::string_view upgrade = {};            // the protocol this hop is asked to switch to, if any
};

// Request line and fields, ending in the blank line. The body is re-framed: Content-Length when the
// client's framing is kLength, chunked when it is kChunked. Expect is not forwarded; TE, Upgrade (but
// for `upgrade`) and everything Connection names is dropped, but Connection can't name Host, the credential
// or framing away (those of `replace` are written after). "Via: 1.1 <pseudonym>" is added (RFC 9110 7.6.3). A
// field that would not be legal on the wire is left out; illegal bytes of the path are percent-encoded.
void AppendUpstreamHead(const UpstreamRequest& request, std::string* out);

// A name for one running agent, so that a request may pass several of them and still be known when it comes
// back to one: "apiquota-" and eight hex digits of `random`, which say nothing about machine or process.
std::string ViaPseudonym(uint32_t random);

// Whether the agent of this pseudonym has forwarded the request before: the base URL leads back here (RFC
// 9110 7.6). Refuse it with rule "loop".
bool IsLoop(const Fields& fields, std::string_view pseudonym);

struct LinkMapping;  // http/links.h

struct ClientResponse {
  const ResponseHead* head = nullptr;
  int client_minor_version = 1;
  bool keep_alive = true;  // whether the client's connection lives on
  bool head_request = false;
  bool add_date = false;  // RFC 9110 6.6.1
  SystemTime now = {};
  const LinkMapping* links = nullptr;  // null: addresses stay as they are
  std::string_view upgrade = {};       // of a 101: the protocol that follows
};

// How the body must be framed to the client: a kUntilClose body is chunked for HTTP/1.1 clients,
// and close-delimited for HTTP/1.0 ones, which never get chunked. HEAD, 204 and 304 have none. A
// 1xx head carries neither framing nor, but for `upgrade`, Connection; an HTTP/1.0 client must not be sent
// one (RFC 9110 15.2).
struct ClientFraming {
  bool chunked = false;
  bool close_after = false;
  bool until_close = false;  // the end of the connection is the end of the body
  bool bodiless = false;     // whatever the head says of one (RFC 9112 section 6.3)
};
ClientFraming AppendClientHead(const ClientResponse& response, std::string* out);

// An answer of our own: JSON body naming the rule, Proxy-Status (RFC 9209), Connection: close when
// `close`.
inline constexpr std::string_view kOwnFields = "Cache-Control: no-store\r\n";

struct OwnAnswer {
  int status = 502;
  std::string_view proxy_status_error = {};  // RFC 9209 2.3: "http_request_error", "connection_refused",
                                             // "dns_error" …
  std::string_view rule = {};                // closed list
  std::string_view detail = {};              // one sentence for a person, no secrets
  std::string_view fields = kOwnFields;      // more header lines, each with its CRLF
  bool close = false;
  bool head_request = false;
  int client_minor_version = 1;
};
void AppendOwnAnswer(const OwnAnswer& answer, SystemTime now, std::string* out);

std::string_view ReasonPhrase(int status);

}  // namespace apiquota::http
