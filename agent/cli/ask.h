// Requests of a command's own, all at once, and their answers in the same order. Blocks.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "net/http_client.h"

namespace apiquota::cli {

struct Answer {
  net::ClientResult result;
  Micros duration{};
};

// Under this name and version; nothing takes longer than `timeout`.
net::HttpClientOptions ClientOptions(const net::TlsClientOptions& tls, const std::string& version,
                                     Micros timeout);

std::vector<Answer> AskAll(std::vector<net::ClientRequest> requests, const net::HttpClientOptions& options,
                           const Clock& clock);

}  // namespace apiquota::cli
