#include "app/poll_facts.h"

#include <utility>

namespace apiquota::app {

std::vector<expose::PollFacts> PollFactsOf(const std::vector<poll::PollStatus>& polls) {
  std::vector<expose::PollFacts> all;
  for (const poll::PollStatus& poll : polls) {
    expose::PollFacts& facts = all.emplace_back();
    facts.api = poll.api;
    facts.key = poll.key;
    facts.method = poll.method;
    facts.path = poll.path;
    facts.interval_seconds = ToSeconds(poll.every);
    facts.next_at = poll.next_at;
    facts.failures = poll.failures;
    facts.last_success_at = poll.last_success_at;
    if (!poll.last) continue;
    facts.last = expose::PollFacts::Last{.at = poll.last->at,
                                         .duration_seconds = ToSeconds(poll.last->duration),
                                         .success = poll.last->success,
                                         .result = poll.last->result,
                                         .status = poll.last->status,
                                         .reason = poll.last->reason};
  }
  return all;
}

}  // namespace apiquota::app
