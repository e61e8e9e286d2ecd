// A YAML file as plain values, checked while it is parsed: what the reader of base/yaml.h walks. Internal to
// base.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace apiquota {

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 1;  // as people count
  int column = 1;
  std::string scalar;
  std::vector<YamlNode> children;  // a list's items; of a map, each key (a scalar) and behind it its value
};

// Refuses what a strict reader must not guess about, in one linear pass that expands nothing:
// syntax errors, duplicate keys, keys that are not plain words, anchors and aliases (a "billion
// laughs" is a few lines of them), tags, a second document, nesting deeper than 64, files over 1
// MiB. The error is "file:line:column: what, and what was expected". An empty file is a null.
Result<YamlNode> ParseYamlTree(const std::string& text, const std::string& file);

}  // namespace apiquota
