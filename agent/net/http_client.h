// Requests of the agent's own (polls, probes): libcurl's multi interface on a Loop. GET and HEAD, HTTP/1.1,
// no redirects, no proxies, no cookies, nothing from the environment, nothing sent twice. Every connected
// address is judged by egress.h, on reused connections too. Connections are kept and reused.
//
// Everything here belongs to the loop's thread, or to whoever owns the loop while it does not run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/codec.h"
#include "net/loop.h"
#include "net/options.h"

namespace apiquota::net {

struct HttpClientOptions {
  TlsClientOptions tls = {};
  std::vector<uint16_t> own_ports = {};  // the agent's listeners: never connected to
  std::string user_agent = "apiquota";
  size_t requests_max = 64;                          // under way at a time; others wait in order
  size_t connections_kept_max = 128;                 // idle ones
  Micros connect_timeout = std::chrono::seconds(5);  // name, TCP and TLS
  Micros timeout = std::chrono::seconds(30);         // from leaving the queue to the last byte
  size_t head_bytes_max = 64 * 1024;                 // interim responses apart: http/interim.h
  size_t fields_max = 200;
  size_t body_bytes_max = 1024 * 1024;  // decoded; what is beyond is not read
};

struct ClientRequest {
  std::string method = "GET";                               // or HEAD
  std::string url;                                          // http or https, sent as it stands
  std::vector<std::pair<std::string, std::string>> fields;  // illegal ones are left out
  bool private_allowed = false;                             // the operator wrote the URL
  std::string unix_socket = {};                             // asked there; the URL's host is only said
  // Called when the request is about to go onto a connection: once at most, as nothing is ever sent again.
  // Must not call the client.
  std::function<void()> on_sent;
};

enum class ClientError : uint8_t {
  kDns,
  kDnsTimeout,
  kForbidden,  // by egress.h
  kRefused,
  kUnreachable,
  kLocalLimit,  // no descriptor, port or memory left on this machine
  kConnectTimeout,
  kCertificate,
  kHandshake,
  kTlsTimeout,
  kClosedEarly,       // before a whole response head
  kTruncated,         // in the middle of the body
  kBadResponse,       // not HTTP as we accept it
  kFirstByteTimeout,  // sent, and no response head within the timeout
  kIdleTimeout,       // the body was not complete by then
};

struct ClientResult {
  std::optional<ClientError> error;
  std::optional<http::Refusal> refusal;  // with kBadResponse: what the codec said of the head
  int status = 0;                        // with an error: 0, or what had come
  http::Fields fields;      // of the final response's head; no Content-Encoding, for the body is decoded
  std::string body;         // decoded
  bool body_whole = false;  // false also where it was too long, or its coding unreadable
  RunningTime head_at;      // when the final response's head was complete
};

class HttpClient {
 public:
  using Done = std::function<void(ClientResult)>;

  HttpClient(Loop& loop, HttpClientOptions options);
  ~HttpClient();  // requests under way are cut off; nobody is called back

  // `done` is called once, later, never from inside.
  void Send(ClientRequest request, Done done);

  size_t active() const;   // under way
  size_t waiting() const;  // for one of those to end

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::net
