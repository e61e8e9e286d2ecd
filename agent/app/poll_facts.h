// The poller's status as renderings know it: poll and expose never meet.
#pragma once

#include <vector>

#include "expose/facts.h"
#include "poll/poller.h"

namespace apiquota::app {

std::vector<expose::PollFacts> PollFactsOf(const std::vector<poll::PollStatus>& polls);

}  // namespace apiquota::app
