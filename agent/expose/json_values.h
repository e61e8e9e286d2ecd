// How every answer in JSON writes amounts, times and its whole text. Internal to this room.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.h"

namespace apiquota::expose {

using Json = nlohmann::ordered_json;

// Whole amounts as people write them: 5000, not 5000.0; nothing is null.
Json JsonNumber(double value);
Json JsonNumber(const std::optional<double>& value);

// Seconds since the epoch as `name`, RFC 3339 as `name`_time.
void PutTime(const std::string& name, const std::optional<SystemTime>& time, Json* json);

// Names from requests may be no UTF-8; that must not cost the whole answer.
std::string JsonText(const Json& json);

}  // namespace apiquota::expose
