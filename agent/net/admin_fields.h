// The header lines that every answer of the admin side carries, whoever gives it: the door or the server
// behind.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace apiquota::net {

// Those of a page that runs no foreign script, and what the web configuration says instead or in addition;
// each with its CRLF.
std::string AdminFields(const std::vector<std::pair<std::string, std::string>>& configured);

}  // namespace apiquota::net
