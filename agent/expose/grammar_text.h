// The grammar of exporter files (provider/grammar.h) for editors and for people. Pure.
#pragma once

#include <string>

namespace apiquota::expose {

// exporters/exporter.schema.json: JSON Schema, draft 7. Indented, a final newline.
std::string GrammarAsSchema();

// The tables of exporters/README.md, in Markdown: the keys of every place, what stands behind them, and what
// they mean.
std::string GrammarAsTables();

}  // namespace apiquota::expose
