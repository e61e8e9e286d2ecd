#include "expose/json_values.h"

#include <cmath>
#include <cstdint>

#include "provider/rfc3339.h"

namespace apiquota::expose {

Json JsonNumber(double value) {
  const bool whole = value == std::floor(value) && std::fabs(value) < 9007199254740992.0;
  return whole ? Json(static_cast<int64_t>(value)) : Json(value);
}

Json JsonNumber(const std::optional<double>& value) { return value ? JsonNumber(*value) : Json(nullptr); }

void PutTime(const std::string& name, const std::optional<SystemTime>& time, Json* json) {
  (*json)[name] = time ? Json(ToUnixSeconds(*time)) : Json(nullptr);
  (*json)[name + "_time"] = time ? Json(provider::FormatRfc3339(*time)) : Json(nullptr);
}

std::string JsonText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace apiquota::expose
