// Text files built into the binary (cmake/Embed.cmake). Immutable; valid for the process's life.
#pragma once

#include <span>
#include <string_view>

namespace apiquota {

struct EmbeddedFile {
  std::string_view name;  // file name without directories, as in "openai.yaml"
  std::string_view text;
};

std::span<const EmbeddedFile> Embedded_exporters();       // exporters/*.yaml
std::span<const EmbeddedFile> Embedded_exporter_index();  // one file: expose/exporter_summary.h reads it

}  // namespace apiquota
