// Where the agent keeps what must survive a restart, and the salt it keeps there.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace apiquota::app {

// The first that can be written: $STATE_DIRECTORY (systemd's), /var/lib/apiquota, $XDG_STATE_HOME/apiquota,
// ~/.local/state/apiquota. The latter two are made (0700) if they are missing. Nothing if none can.
std::optional<std::string> FindStateDirectory();

// The salt in `configured`, made there if the file is missing; else in the state directory. Without one, a
// random salt and a warning in the log: keys then get other names at every start. Errors are those of a
// configured file.
Result<Secret> ObtainSalt(const std::string& configured);

}  // namespace apiquota::app
