// Rules about names, for files and flags alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apiquota::config {

inline constexpr std::string_view kNameExpected =
    "a name of at most 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit";

// A name that becomes a label value and a part of a route.
bool IsName(std::string_view name);

// In lower case, of a header that a client would send.
bool IsHeaderName(std::string_view name);

bool Contains(const std::vector<std::string>& words, std::string_view word);

// "unknown exporter; did you mean "openai"?": `name`, which may be anything, is not repeated.
std::string UnknownExporter(std::string_view name, const std::vector<std::string>& exporters);

}  // namespace apiquota::config
