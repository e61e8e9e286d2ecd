#include "poll/poll_turn.h"

#include <string>

#include "apis/guarded.h"
#include "apis/route_table.h"
#include "guard/route_of.h"
#include "provider/request_resource.h"

namespace apiquota::poll {

guard::Ticket TakeTurn(guard::Guard* guard, const apis::PollTarget& target, SystemTime now) {
  const apis::Route& route = *target.route;
  if (guard == nullptr || !route.guard.active()) return {};
  const auto account = guard->AccountFor(route.api, target.key_label, now);
  if (!account) return {};
  http::Exchange exchange;
  exchange.method = target.endpoint().method;
  target.SetPath(&exchange);
  const std::string resource = provider::RequestResource(*route.exporter, exchange).value_or("");
  const std::string by_route = guard::RouteOf(exchange.method, exchange.path);
  return guard->Take(
      account, {.resource = resource, .route = by_route, .flow = target.key_label, .deadline = now}, now);
}

void Settle(guard::Ticket* ticket, const http::Exchange& exchange, const provider::Signals& signals,
            SystemTime now) {
  if (!*ticket) return;
  ticket->Answered(apis::AnswerOf(exchange, signals), now);
  ticket->Settle({}, now);
}

}  // namespace apiquota::poll
