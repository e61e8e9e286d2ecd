// One spelling for all that servers may understand alike. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace apiquota {

// `path`, without a query: escapes that need not be (RFC 3986 section 6.2.2) and those of "/" are undone, dot
// segments and doubled slashes removed, so that /%70redict is no way around a rule for /predict, nor
// /static/..%2Fpredict one into a rule for /static/*. `scratch` holds what is not as it came.
std::string_view TidyPath(std::string_view path, std::string* scratch);
std::string TidyPath(std::string_view path);

}  // namespace apiquota
