// What the process's environment says that the agent does not do. Reads the environment; not thread-safe
// where somebody changes it.
#pragma once

#include <string>

namespace apiquota::app {

// The names, never the values, of the variables set that send other programs through a proxy: "HTTPS_PROXY,
// all_proxy". Empty: none.
std::string ProxyVariables();

}  // namespace apiquota::app
