// A request as its api's cache is asked about it (cache/question.h): the target as it is sent upstream,
// without a credential that stands in it, and a digest of every credential as it is sent, with where it is
// sent to. So that nobody gets what was somebody else's, all fields count whose names say that they tell who
// asks, whether the exporter file knows them or not. One per client connection, reused from request to
// request; what it builds views it. Belongs to one loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apis/credentials.h"
#include "apis/route_table.h"
#include "base/secret.h"
#include "cache/question.h"
#include "http/codec.h"
#include "net/fingerprint.h"

namespace apiquota::proxy {

// A request and what was decided about it.
struct DecidedRequest {
  const http::RequestHead& head;
  const apis::RouteMatch& match;
  const apis::FoundCredential& found;
  const apis::KeyChoice& choice;
  const net::Fingerprinter& fingerprinter;
};

class CacheQuestion {
 public:
  // `path`: as sent upstream, without its query.
  void Set(const DecidedRequest& request, std::string_view path);
  // The client's fields are about to go: they are kept from here on.
  void KeepFields();
  // Of a POST on a route whose answers are remembered. False: its body is no JSON.
  bool SetBody(std::string_view json, Micros ttl);

  const cache::Question& get() const { return question_; }

  // The routes of before are about to go.
  void Forget() { route_ = nullptr; }

 private:
  void SetTarget(const DecidedRequest& request, std::string_view path);
  void AddCredentials(const DecidedRequest& request);
  void SetDigest(const net::Fingerprinter& fingerprinter);
  void SetRoute(const apis::Route& route);

  cache::Question question_;
  const apis::Route* route_ = nullptr;
  std::vector<std::string> credential_fields_;
  std::string method_, target_, body_;
  http::Fields fields_;
  std::string credentials_;  // of this request, wiped when it has been looked at …
  Secret known_;             // … and of the one before it, whose digest this is
  std::string digest_;
};

// The answers of which POSTs are remembered: the first of the options whose path is this one, or begins it.
const guard::CacheOptions::Post* RememberedPost(const guard::CacheOptions& options, std::string_view path);

}  // namespace apiquota::proxy
