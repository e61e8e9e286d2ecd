// Exporters by name: the embedded ones, and what --exporters.dir adds or overrides. A copy shares what has
// been read. Const members are thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/fields.h"
#include "provider/exporter.h"

namespace apiquota::provider {

// What can be asked about an exporter whose file nobody has read yet; ExporterInfo says what the words mean.
struct ExporterCard {
  std::string name;
  std::vector<std::string> hosts = {};
  bool self_hosted = false;
  std::string base_url = {};
  std::string not_proxyable = {};
  bool credential = false;               // it knows where one stands
  bool polled = false;                   // it knows where the API can be asked for its quotas
  std::vector<std::string> detect = {};  // any of these headers, or "name: value", hints at this API; names
                                         // may hold one '*', values several

  friend bool operator==(const ExporterCard&, const ExporterCard&) = default;
};

ExporterCard CardOf(const Exporter& exporter);

class Catalogue {
 public:
  // Every embedded file, read now, a third of a millisecond each: for the build, which writes the cards, and
  // for tests.
  static Result<Catalogue> Embedded();

  // Takes the place of one of the same name, which it returns.
  Result<std::string> Add(const std::string& text, const std::string& file);
  // An embedded one, by the card that the build wrote of it: its file, NAME.yaml, is read when it is first
  // needed.
  void AddEmbedded(ExporterCard card);

  std::vector<const ExporterCard*> Cards() const;  // sorted by name; they live as long as any copy of this
  ExporterPtr Find(std::string_view name) const;   // null if there is none
  std::vector<ExporterPtr> All() const;            // sorted by name

  // Without --exporter: by host; else by the headers present, where the exporter that describes most of them
  // wins if one of them is its own (`detect`); else generic. Never contradicts a host that a file names.
  // Under a host that none names, as a CDN's or a gateway's, a header counts only if no second exporter calls
  // it its own and, unless instances stand anywhere, it is none of the names that `generic` reads.
  ExporterPtr Detect(std::string_view host, const http::Fields& fields) const;

 private:
  class Entry;
  const Entry* FindByHost(std::string_view host) const;

  // Who calls a header of a head its own.
  struct Claim {
    const Entry* by = nullptr;
    bool contested = false;  // by two or more
    bool common = false;     // generic reads it
  };
  std::vector<Claim> ClaimsOn(const http::Fields& fields) const;
  static size_t HintCount(const Entry& entry, std::string_view host, const std::vector<Claim>& claims,
                          const http::Fields& fields);

  std::map<std::string, std::shared_ptr<const Entry>, std::less<>> by_name_;
};

}  // namespace apiquota::provider
