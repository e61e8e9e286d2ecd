#include "cli/healthcheck.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/ask.h"
#include "poll/poll_verdict.h"

namespace apiquota::cli {
namespace {

constexpr Micros kPatience = std::chrono::seconds(3);

// An agent that listens on all interfaces answers on loopback.
std::string UrlOf(net::ListenAddress admin) {
  if (admin.host.empty() || admin.host == "0.0.0.0" || admin.host == "localhost") admin.host = "127.0.0.1";
  if (admin.host == "::") admin.host = "::1";
  if (admin.is_unix()) return "http://localhost/-/healthy";
  return "http://" + net::ToText(admin) + "/-/healthy";
}

}  // namespace

int RunHealthcheck(const HealthcheckOptions& options, const Clock& clock, std::ostream& err) {
  net::ClientRequest request;
  request.url = options.url.empty() ? UrlOf(options.admin) : options.url;
  request.private_allowed = true;
  if (options.url.empty()) request.unix_socket = options.admin.path;
  net::HttpClientOptions client;
  client.connect_timeout = client.timeout = kPatience;
  const std::string url = options.url.empty() ? request.url : "--url";  // which may hold a credential
  const Answer answer = AskAll({std::move(request)}, client, clock).front();
  if (answer.result.error) {
    err << fmt::format("apiquota healthcheck: {}: {}\n", url, poll::FailureDetail(answer.result));
    return 1;
  }
  if (answer.result.status == 200) return 0;
  err << fmt::format("apiquota healthcheck: {} answered {}\n", url, answer.result.status);
  return 1;
}

}  // namespace apiquota::cli
