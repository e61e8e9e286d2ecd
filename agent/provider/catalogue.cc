#include "provider/catalogue.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/embedded.h"
#include "base/text.h"
#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {
namespace {

constexpr std::string_view kGeneric = "generic";

// "api.openai.com", or with a '*' for at least one character: "*.openai.azure.com",
// "bedrock.*.amazonaws.com".
bool MatchesText(std::string_view text, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return text == pattern;
  const std::string_view suffix = pattern.substr(star + 1);
  return text.size() > star + suffix.size() && text.starts_with(pattern.substr(0, star)) &&
         text.ends_with(suffix);
}

// Loopback names, IP addresses and names without a dot are machines of the asker: they tell nothing about the
// API.
bool TellsNothing(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.:[]") == std::string_view::npos;
  return address || host.starts_with('[') || host.find('.') == std::string_view::npos;
}

// The same with any number of '*', each for any text: the parts between them follow one another.
bool MatchesValue(std::string_view text, std::string_view pattern) {
  const std::vector<std::string_view> parts = Split(pattern, '*');
  if (parts.size() == 1) return text == pattern;
  if (text.size() < parts.front().size() + parts.back().size()) return false;
  if (!text.starts_with(parts.front()) || !text.ends_with(parts.back())) return false;
  text.remove_prefix(parts.front().size());
  text.remove_suffix(parts.back().size());
  for (size_t i = 1; i + 1 < parts.size(); ++i) {
    const size_t at = text.find(parts[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + parts[i].size());
  }
  return true;
}

// Does the exporter call this header its API's own? "x-ratelimit: {*}" asks for the value, too.
bool Claims(const ExporterCard& card, const http::FieldView& field) {
  return std::ranges::any_of(card.detect, [&](std::string_view pattern) {
    const size_t colon = pattern.find(": ");
    if (colon == std::string_view::npos) return MatchesHeaderPattern(field.name, pattern);
    return MatchesHeaderPattern(field.name, pattern.substr(0, colon)) &&
           MatchesValue(field.value, pattern.substr(colon + 2));
  });
}

bool Describes(const Exporter& exporter, std::string_view header) {
  return !exporter.index->Find(header).targets.empty();
}

size_t DescribedCount(const Exporter& exporter, const http::Fields& fields) {
  size_t count = 0;
  for (size_t i = 0; i < fields.size(); ++i) count += Describes(exporter, fields[i].name) ? 1 : 0;
  return count;
}

// How much of a head an exporter knows: headers it describes, then those that only it is likely to send.
using Knowledge = std::pair<size_t, size_t>;

}  // namespace

ExporterCard CardOf(const Exporter& exporter) {
  const ExporterInfo& info = exporter.info;
  return {.name = info.name,
          .hosts = info.hosts,
          .self_hosted = info.self_hosted,
          .base_url = info.base_url,
          .not_proxyable = info.not_proxyable,
          .credential = !info.credentials.empty(),
          .polled = info.poll.has_value(),
          .detect = exporter.detect};
}

class Catalogue::Entry {
 public:
  explicit Entry(ExporterPtr exporter) : card_(CardOf(*exporter)), exporter_(std::move(exporter)) {}
  explicit Entry(ExporterCard card) : card_(std::move(card)) {}

  const ExporterCard& card() const { return card_; }

  const ExporterPtr& exporter() const {
    std::call_once(read_, [this] {
      for (const EmbeddedFile& file : Embedded_exporters()) {
        if (exporter_ == nullptr && file.name == card_.name + ".yaml") {
          exporter_ = LoadExporter(std::string(file.text), std::string(file.name)).value();
        }
      }
    });
    return exporter_;
  }

 private:
  ExporterCard card_;
  mutable std::once_flag read_;
  mutable ExporterPtr exporter_;
};

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

Result<std::string> Catalogue::Add(const std::string& text, const std::string& file) {
  auto exporter = LoadExporter(text, file);
  if (!exporter) return std::unexpected(exporter.error());
  std::string name = (*exporter)->info.name;
  by_name_[name] = std::make_shared<const Entry>(*exporter);
  return name;
}

void Catalogue::AddEmbedded(ExporterCard card) {
  std::string name = card.name;
  by_name_[std::move(name)] = std::make_shared<const Entry>(std::move(card));
}

std::vector<const ExporterCard*> Catalogue::Cards() const {
  std::vector<const ExporterCard*> cards;
  cards.reserve(by_name_.size());
  for (const auto& [name, entry] : by_name_) cards.push_back(&entry->card());
  return cards;
}

ExporterPtr Catalogue::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second->exporter();
}

std::vector<ExporterPtr> Catalogue::All() const {
  std::vector<ExporterPtr> all;
  all.reserve(by_name_.size());
  for (const auto& [name, entry] : by_name_) all.push_back(entry->exporter());
  return all;
}

// An exact host before a pattern, of patterns the longest. A dot at the end says that the name is whole.
const Catalogue::Entry* Catalogue::FindByHost(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  const Entry* best = nullptr;
  size_t best_length = 0;
  for (const auto& [name, entry] : by_name_) {
    for (const std::string& pattern : entry->card().hosts) {
      if (!MatchesText(host, pattern)) continue;
      if (pattern == host) return entry.get();
      if (pattern.size() > best_length) best = entry.get();
      best_length = std::max(best_length, pattern.size());
    }
  }
  return best;
}

std::vector<Catalogue::Claim> Catalogue::ClaimsOn(const http::Fields& fields) const {
  std::vector<Claim> claims(fields.size());
  const ExporterPtr generic = Find(kGeneric);
  for (size_t i = 0; i < fields.size(); ++i) {
    for (const auto& [name, entry] : by_name_) {
      if (!Claims(entry->card(), fields[i])) continue;
      claims[i].contested = claims[i].by != nullptr;
      claims[i].by = entry.get();
      if (claims[i].contested) break;
    }
    claims[i].common = generic != nullptr && Describes(*generic, fields[i].name);
  }
  return claims;
}

size_t Catalogue::HintCount(const Entry& entry, std::string_view host, const std::vector<Claim>& claims,
                            const http::Fields& fields) {
  const ExporterCard& card = entry.card();
  const bool anywhere = card.hosts.empty() || card.self_hosted;
  size_t count = 0;
  for (size_t i = 0; i < claims.size(); ++i) {
    const bool own = claims[i].by == &entry && !claims[i].contested && (anywhere || !claims[i].common);
    count += own || (TellsNothing(host) && Claims(card, fields[i])) ? 1 : 0;
  }
  return count;
}

ExporterPtr Catalogue::Detect(std::string_view host, const http::Fields& fields) const {
  if (const Entry* by_host = FindByHost(host)) return by_host->exporter();
  const ExporterPtr generic = Find(kGeneric);
  if (fields.empty()) return generic;
  const std::vector<Claim> claims = ClaimsOn(fields);
  ExporterPtr best = generic;
  Knowledge most = {generic == nullptr ? 0 : DescribedCount(*generic, fields), 0};
  for (const auto& [name, entry] : by_name_) {
    const size_t hints = HintCount(*entry, host, claims, fields);
    if (hints == 0) continue;
    const ExporterPtr& exporter = entry->exporter();
    const Knowledge known = {DescribedCount(*exporter, fields), hints};
    if (known < most) continue;
    best = known == most ? generic : exporter;  // of two that know as much, neither is told by this head
    most = known;
  }
  return best;
}

}  // namespace apiquota::provider
