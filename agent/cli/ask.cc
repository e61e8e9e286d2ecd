#include "cli/ask.h"

#include <algorithm>
#include <latch>
#include <utility>

#include "net/key_log.h"
#include "net/loop.h"

namespace apiquota::cli {

net::HttpClientOptions ClientOptions(const net::TlsClientOptions& tls, const std::string& version,
                                     Micros timeout) {
  net::HttpClientOptions options;
  options.tls = tls;
  options.user_agent = "apiquota/" + version;
  options.timeout = timeout;
  options.connect_timeout = std::min(options.connect_timeout, timeout);
  return options;
}

std::vector<Answer> AskAll(std::vector<net::ClientRequest> requests, const net::HttpClientOptions& options,
                           const Clock& clock) {
  net::ForgetKeyLogFile();
  std::vector<Answer> answers(requests.size());
  std::latch left(static_cast<std::ptrdiff_t>(requests.size()));
  net::Loop loop(clock);
  net::HttpClient client(loop, options);
  for (size_t i = 0; i < requests.size(); ++i) {
    const SteadyTime began = clock.SteadyNow();
    client.Send(std::move(requests[i]), [&answers, &left, &clock, i, began](net::ClientResult result) {
      answers[i] = {std::move(result), std::chrono::duration_cast<Micros>(clock.SteadyNow() - began)};
      left.count_down();
    });
  }
  loop.Start();
  left.wait();
  loop.Stop();
  return answers;
}

}  // namespace apiquota::cli
