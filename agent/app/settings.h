// Everything that files and flags say together, loaded whole or not at all.
#pragma once

#include "app/serve_options.h"
#include "base/error.h"
#include "config/config.h"
#include "provider/catalogue.h"

namespace apiquota::app {

struct Settings {
  provider::Catalogue exporters;
  config::Config config;  // its apis include those of --api and, where the file names none, the default ones
};

// The first mistake in one sentence.
Result<Settings> LoadSettings(const ServeOptions& options);

// What a configuration file may name, given these exporters.
config::LoadContext ContextOf(const provider::Catalogue& exporters);

}  // namespace apiquota::app
