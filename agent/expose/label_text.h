// Names and values of labels as Prometheus accepts them. One label that is not UTF-8 costs the whole scrape,
// and values come from requests and answers. Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace apiquota::expose {

// [a-zA-Z_][a-zA-Z0-9_]*, not starting with "__", which Prometheus keeps for itself: other bytes become "_".
std::string LabelName(std::string_view name);

// Valid UTF-8 (RFC 3629): each byte that is not becomes "\xNN", so that two values never become one.
std::string LabelValue(std::string_view value);

}  // namespace apiquota::expose
