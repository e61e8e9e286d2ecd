// What the operator's own limits keep over a restart, as JSON of the guard's saved figures (guard/persist.h).
// Pure.
#pragma once

#include "guard/own_limits_saved.h"
#include "quota/saved_text.h"

namespace apiquota::guard {

quota::SavedJson ToJson(const SavedOwnLimits& saved);
// A mistake is the members'.
SavedOwnLimits ReadOwnLimits(quota::SavedMembers* members);

}  // namespace apiquota::guard
