// One request of http_client.h as a libcurl easy handle: its options, its callbacks, what has come of it.
// Reused from request to request, but for the handle. Internal to the client.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

#include "http/interim.h"
#include "net/http_client.h"

namespace apiquota::net {

struct CurlDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class HttpTransfer {
 public:
  HttpTransfer(const HttpClientOptions& options, const Clock& clock);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Its handle, a new one, is ready to be added to a multi handle.
  void Prepare(ClientRequest request, HttpClient::Done done);
  CURL* easy() const { return easy_.get(); }

  // The transfer has ended with `code`; its result, and nothing of the request stays.
  ClientResult Finish(CURLcode code);
  HttpClient::Done TakeDone() { return std::move(done_); }

 private:
  void SetOptions();
  void SetFields();
  bool Allowed(const struct Endpoint& target) const;
  std::optional<http::Refusal> OnHeaderLine(std::string_view line);
  std::optional<http::Refusal> OnTrailer(std::string_view line);
  std::optional<http::Refusal> OnHead();
  bool BodyIsOver() const { return length_ && result_.body.size() >= *length_; }
  std::optional<ClientError> Judge(CURLcode code) const;
  ClientError TimedOutIn() const;
  ClientError NotConnected() const;
  void TakeFields();

  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self);
  static size_t OnBody(char* bytes, size_t size, size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnRequest(void* self, char* peer, char* local, int peer_port, int local_port);

  const HttpClientOptions& options_;
  const Clock& clock_;
  std::unique_ptr<CURL, CurlDeleter> easy_;  // of the request under way
  std::unique_ptr<curl_slist, CurlDeleter> list_;
  ClientRequest request_;
  HttpClient::Done done_;

  ClientResult result_;
  std::string head_;  // of the response being read, as it came
  http::ResponseParser parser_;
  http::InterimBudget interims_;
  size_t trailer_bytes_ = 0;
  std::optional<uint64_t> length_;  // of the body, where libcurl does not know it
  int socket_error_ = 0;            // errno, of the last address that was tried, like v6_
  bool v6_ = false;
  bool forbidden_ = false;       // an address was refused
  bool connected_ = false;       // the request went onto a connection
  bool lost_ = false;            // that connection ended, and libcurl would have sent it again
  bool head_whole_ = false;      // of the final response
  bool framing_unseen_ = false;  // by libcurl: a blank before its colon
};

}  // namespace apiquota::net
