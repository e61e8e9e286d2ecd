// rooms: provider
// Exporter files may come from --exporters.dir: whatever stands in one, loading ends with rules or with one
// sentence.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "provider/exporter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto loaded = apiquota::provider::LoadExporter(text, "fuzz.yaml");
  if (!loaded && !loaded.error().message.starts_with("fuzz.yaml:")) std::abort();
  return 0;
}
