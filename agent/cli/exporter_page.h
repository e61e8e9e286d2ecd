// How one API speaks about its limits, as its exporter file describes it, for people. Pure.
#pragma once

#include <string>

#include "expose/exporter_summary.h"
#include "provider/exporter.h"

namespace apiquota::cli {

// What it is, where its credential stands, its quotas field by field, what it calls a throttle, how it says
// how long to wait, how many recordings hold the file to it.
std::string ExporterPage(const provider::Exporter& exporter, const expose::ExporterSummary& summary);

}  // namespace apiquota::cli
