// GET /api/v1/explain?api=NAME[&key=KEY]: the last decision of the guard about each key of an api, or the
// sentence that says what was wrong with the question.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "expose/facts.h"
#include "guard/guard.h"
#include "net/admin_server.h"

namespace apiquota::app {

// `guard` null: nothing is guarded. 400: the question is none; 404: nobody has this name.
net::AdminResponse ExplainPage(const guard::Guard* guard, const std::vector<expose::ApiFacts>& apis,
                               std::string_view query, RunningTime now);

}  // namespace apiquota::app
