// Which texts of requests and responses may become labels of metrics. Pure.
#pragma once

#include <string_view>

namespace apiquota::provider {

// Text from outside as a label: 1 to 128 bytes of UTF-8 without control characters, line and paragraph
// separators, and what turns the direction of text around.
bool FitForLabel(std::string_view text);

}  // namespace apiquota::provider
