#include "provider/exporter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/embedded.h"
#include "base/text.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {
namespace {

constexpr std::string_view kGeneric = "generic";

void AddOnce(std::vector<std::string>* names, const std::string& name) {
  if (std::ranges::find(*names, name) == names->end()) names->push_back(name);
}

// "api.openai.com", or with a '*' for at least one character: "*.openai.azure.com",
// "bedrock.*.amazonaws.com".
bool HostMatches(std::string_view host, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return host == pattern;
  const std::string_view suffix = pattern.substr(star + 1);
  return host.size() > star + suffix.size() && host.starts_with(pattern.substr(0, star)) &&
         host.ends_with(suffix);
}

// Loopback names, IP addresses and names without a dot are machines of the asker: they tell nothing about the
// API.
bool TellsNothing(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.:[]") == std::string_view::npos;
  return address || host.starts_with('[') || host.find('.') == std::string_view::npos;
}

size_t HintCount(const Exporter& exporter, const http::Fields& fields) {
  size_t count = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    count += std::ranges::any_of(exporter.detect, [&](const std::string& pattern) {
      return MatchesHeaderPattern(fields[i].name, pattern);
    });
  }
  return count;
}

size_t DescribedCount(const Exporter& exporter, const http::Fields& fields) {
  size_t count = 0;
  for (size_t i = 0; i < fields.size(); ++i)
    count += exporter.index->Find(fields[i].name).targets.empty() ? 0 : 1;
  return count;
}

// How much of a head an exporter knows: headers it describes, then those that only it is likely to send.
using Knowledge = std::pair<size_t, size_t>;

}  // namespace

const std::vector<FieldSource>& QuotaRule::Sources(SignalField field) const {
  return sources.at(static_cast<size_t>(std::ranges::find(kQuotaFields, field) - kQuotaFields.begin()));
}

ThrottleSignal ThrottleRule::Signal() const {
  const auto any = [&](Condition::On on) {
    return std::ranges::find(conditions, on, &Condition::on) != conditions.end();
  };
  if (any(Condition::On::kStream)) return ThrottleSignal::kStream;
  if (any(Condition::On::kBody)) return ThrottleSignal::kBody;
  return conditions.empty() ? ThrottleSignal::kStatus : ThrottleSignal::kHeader;
}

// Called by the loader once the rules are read.
void Compile(Exporter* exporter) {
  exporter->index = std::make_shared<const HeaderIndex>(*exporter);
  for (const ResourceRule& rule : exporter->resources) {
    if (rule.from == ResourceRule::From::kRequestBody) AddOnce(&exporter->info.request_pointers, rule.name);
  }
  for (const ThrottleRule& rule : exporter->throttles) {
    const Throttle throttle{rule.scope, rule.Signal(), ""};
    auto& known = exporter->info.throttles;
    if (std::ranges::find(known, throttle) == known.end()) known.push_back(throttle);
    if (rule.Signal() == ThrottleSignal::kStream) continue;
    for (const int status : rule.statuses) exporter->refusals.set(static_cast<size_t>(status));
  }
}

const ExporterInfo& Info(const Exporter& exporter) { return exporter.info; }

// Read once in a process: the texts are a part of the program.
Result<Catalogue> Catalogue::Embedded() {
  static const Result<Catalogue> kEmbedded = []() -> Result<Catalogue> {
    Catalogue catalogue;
    for (const EmbeddedFile& file : Embedded_exporters()) {
      if (auto added = catalogue.Add(std::string(file.text), std::string(file.name)); !added) {
        return std::unexpected(added.error());
      }
    }
    return catalogue;
  }();
  return kEmbedded;
}

Status Catalogue::Add(const std::string& text, const std::string& file) {
  auto exporter = LoadExporter(text, file);
  if (!exporter) return std::unexpected(exporter.error());
  by_name_[(*exporter)->info.name] = *exporter;
  return {};
}

ExporterPtr Catalogue::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::vector<ExporterPtr> Catalogue::All() const {
  std::vector<ExporterPtr> all;
  all.reserve(by_name_.size());
  for (const auto& [name, exporter] : by_name_) all.push_back(exporter);
  return all;
}

// An exact host before a pattern, of patterns the longest.
ExporterPtr Catalogue::FindByHost(std::string_view host) const {
  ExporterPtr best;
  size_t best_length = 0;
  for (const auto& [name, exporter] : by_name_) {
    for (const std::string& pattern : exporter->info.hosts) {
      if (!HostMatches(host, pattern)) continue;
      if (pattern == host) return exporter;
      if (pattern.size() > best_length) best = exporter;
      best_length = std::max(best_length, pattern.size());
    }
  }
  return best;
}

ExporterPtr Catalogue::Detect(std::string_view host, const http::Fields& fields) const {
  if (ExporterPtr by_host = FindByHost(host)) return by_host;
  ExporterPtr best = Find(kGeneric);
  Knowledge most = {best == nullptr ? 0 : DescribedCount(*best, fields), 0};
  for (const auto& [name, exporter] : by_name_) {
    const ExporterInfo& info = exporter->info;
    if (!info.hosts.empty() && !info.self_hosted && !TellsNothing(host)) continue;
    const size_t hints = HintCount(*exporter, fields);
    if (hints == 0) continue;
    const Knowledge known = {DescribedCount(*exporter, fields), hints};
    if (known <= most) continue;
    most = known;
    best = exporter;
  }
  return best;
}

}  // namespace apiquota::provider
