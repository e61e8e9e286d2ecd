// Which header fields of an answer are figures of the moment it was made in. Pure; thread-safe.
#pragma once

#include <string_view>

#include "provider/exporter.h"

namespace apiquota::provider {

// The exporter file reads a quota, its policy or a time to wait from it. `name` in any case.
bool TellsQuota(const Exporter& exporter, std::string_view name);

}  // namespace apiquota::provider
