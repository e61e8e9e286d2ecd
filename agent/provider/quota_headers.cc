#include "provider/quota_headers.h"

#include <algorithm>

#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {

bool TellsQuota(const Exporter& exporter, std::string_view name) {
  using Kind = HeaderTarget::Kind;
  return std::ranges::any_of(exporter.index->Find(name).targets, [](const HeaderTarget& target) {
    return target.kind == Kind::kQuotaField || target.kind == Kind::kPolicy || target.kind == Kind::kStatus ||
           target.kind == Kind::kRetryAfter;
  });
}

}  // namespace apiquota::provider
