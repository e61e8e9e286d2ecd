// What every YAML file of ours must look like before anybody reads values from it. Internal to
// base.
#pragma once

#include <string>

#include "base/error.h"

namespace apiquota {

// Refuses what a strict reader must not guess about, in one linear pass that expands nothing:
// syntax errors, duplicate keys, keys that are not plain words, anchors and aliases (a "billion
// laughs" is a few lines of them), tags, a second document, nesting deeper than 64, files over 1
// MiB. The error is "file:line:column: what, and what was expected".
Status CheckYamlShape(const std::string& text, const std::string& file);

}  // namespace apiquota
