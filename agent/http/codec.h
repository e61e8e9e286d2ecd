// HTTP/1.1 messages, parsed and judged: boost::beast::http::basic_parser plus our own strict
// validator, one codec for both sides of the proxy (RFC 9112; what basic_parser lets pass and we
// refuse is listed in codec.cc). No sockets.
//
// Parsers append into flat buffers of their own that keep their capacity from message to message.
// Body bytes come out as slices of the caller's input, never copied. Not thread-safe; one parser
// per direction of a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/fields.h"

namespace apiquota::http {

struct CodecLimits {
  size_t head_bytes_max = 64 * 1024;
  size_t fields_max = 200;
  size_t target_bytes_max = 16 * 1024;
  size_t chunk_line_bytes_max = 4 * 1024;  // one chunk-size line with its extensions
  size_t trailer_bytes_max = 16 * 1024;
};

enum class BodyFraming : uint8_t { kNone, kLength, kChunked, kUntilClose };

struct RequestHead {
  std::string method;  // case-sensitive token
  std::string target;  // as received; absolute-form is kept, see forward.h
  int minor_version = 1;
  Fields fields;
  std::string_view host;  // the one Host value (view into this fields); empty for HTTP/1.0 without one
  BodyFraming framing = BodyFraming::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool connection_names_fields = false;  // Connection lists fields that are for this hop only
  bool expect_continue = false;
};

struct ResponseHead {
  int status = 0;
  std::string reason;
  int minor_version = 1;
  Fields fields;
  BodyFraming framing = BodyFraming::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  std::optional<Micros> keep_alive_timeout;  // Keep-Alive: how long the upstream keeps an idle connection
  bool connection_names_fields = false;      // Connection lists fields that are for this hop only
};

// Why a message is refused. A request's `rule` is one of kRefusalRules and is the `reason` label of a metric;
// a response's is one of kResponseRefusalRules, for logs and Proxy-Status.
struct Refusal {
  int status = 400;         // what a client gets: 400 414 431 501 505; a refused response is always a 502
  std::string_view rule;    // static storage, like detail
  std::string_view detail;  // one phrase for a person

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

inline constexpr std::string_view kRefusalRules[] = {"body_timeout",
                                                     "chunk",
                                                     "connection",
                                                     "content_length",
                                                     "control_byte",
                                                     "field_count",
                                                     "field_name",
                                                     "field_value",
                                                     "head_size",
                                                     "head_timeout",
                                                     "host",
                                                     "line_ending",
                                                     "loop",
                                                     "method",
                                                     "obs_fold",
                                                     "request_line",
                                                     "target",
                                                     "tls_handshake",
                                                     "transfer_encoding",
                                                     "trailer",
                                                     "version"};

inline constexpr std::string_view kResponseRefusalRules[] = {
    "chunk",       "connection", "content_length",    "control_byte", "field_count",
    "field_name",  "head_size",  "interim",           "line_ending",  "obs_fold",
    "status_line", "trailer",    "transfer_encoding", "upgrade"};

struct ParseStep {
  size_t consumed = 0;  // bytes of the input that are done with; present the rest again with more behind it
  bool head_complete = false;      // the head became complete in this call (said once per message)
  bool complete = false;           // the whole message; what follows in the input belongs to the next one
  std::optional<Refusal> refusal;  // final: close the connection after answering
};

class RequestParser {
 public:
  explicit RequestParser(const CodecLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Ready for the next message. Cheap; memory that a large head took is given back.
  void Reset();

  // Slices of body found in `input` are appended to `body`; they point into `input`. A head is
  // consumed all at once, when its blank line is there: keep its bytes until then. One empty line
  // before a request is skipped (RFC 9112 2.2).
  ParseStep Parse(std::string_view input, std::vector<std::string_view>* body);

  // Valid once head_complete was seen, until Reset().
  const RequestHead& head() const;
  bool got_some() const;      // a byte of this message was seen since Reset (for the head timeout)
  size_t kept_bytes() const;  // of memory that grows with heads

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const CodecLimits& limits);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // `request_method` decides whether a body follows (HEAD). 1xx responses are complete messages of
  // their own: Reset with the same method and go on with the rest of the input. 101 is one of them:
  // nothing here switches protocols, so the caller treats an unasked 101 as an error. A 204 that
  // announces a body is complete but not keep_alive.
  void Reset(std::string_view request_method);
  ParseStep Parse(std::string_view input, std::vector<std::string_view>* body);

  // The connection ended. True if that completes the message (kUntilClose); false: it was cut
  // short.
  bool ParseEnd();

  const ResponseHead& head() const;
  bool got_some() const;
  size_t kept_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// `refusal`, or the same with a detail that says so where `input`, what was refused, is the beginning of TLS
// or of HTTP/2: a client that takes this port for another kind of port must be told in those words.
Refusal NamingProtocol(const Refusal& refusal, std::string_view input);

// A chunk of a chunked body (RFC 9112 7.1): "<hex size>\r\n" before the data and "\r\n" after it;
// "0\r\n\r\n" at the end.
void AppendChunkHeader(size_t size, std::string* out);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// token / field-value of RFC 9110 5.5, 5.6.2: the check every name and value passes before it is
// written to a wire.
bool IsToken(std::string_view text);
size_t TokenLength(std::string_view text);  // of the bytes at the front that may stand in a token
bool IsFieldValue(std::string_view text);

// uri-host [":" port] of RFC 9110 7.2; no userinfo, no spaces.
bool IsHost(std::string_view text);

}  // namespace apiquota::http
