#include "proxy/limit_fields.h"

namespace apiquota::proxy {

void AddLimitFields(std::span<const guard::LimitStanding>, http::Fields*) {}

}  // namespace apiquota::proxy
