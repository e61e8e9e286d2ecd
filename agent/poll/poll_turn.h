// A poll as the guard knows it: it never waits, and what it costs is counted. Thread-safe.
#pragma once

#include "apis/poll_target.h"
#include "base/clock.h"
#include "guard/guard.h"
#include "http/exchange.h"
#include "provider/signals.h"

namespace apiquota::poll {

// No ticket: the api is not guarded. `guard` may be null.
guard::Ticket TakeTurn(guard::Guard* guard, const apis::PollTarget& target, SystemTime now);

// Its answer is complete.
void Settle(guard::Ticket* ticket, const http::Exchange& exchange, const provider::Signals& signals,
            SystemTime now);

}  // namespace apiquota::poll
