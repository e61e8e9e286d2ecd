// Reading HTTP/1.1 messages as they must look when we have written them: no leniency. For fuzz targets'
// oracles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace apiquota::fuzz {

// Lines end in CRLF, names are written before a colon, and nothing in them could be read as another line's
// end.
bool WellFormedHead(std::string_view head);

// The value of the one field of that name; nothing if it is absent. Two are not well-formed.
std::optional<std::string_view> FieldOf(std::string_view head, std::string_view lower_name);

std::optional<size_t> ToNumber(std::string_view digits, int base);

}  // namespace apiquota::fuzz
