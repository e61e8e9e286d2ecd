// The poller's status as renderings know it: source and expose never meet.
#pragma once

#include <vector>

#include "expose/facts.h"
#include "source/poller.h"

namespace apiquota::cli {

std::vector<expose::PollFacts> PollFactsOf(const std::vector<source::PollStatus>& polls);

}  // namespace apiquota::cli
