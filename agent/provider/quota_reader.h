// From the headers an exporter describes to readings: one QuotaRule at a time. Used by ExtractSignals alone.
// Not thread-safe; the exporter and the exchange must outlive it.
#pragma once

#include <boost/container/small_vector.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/exchange.h"
#include "provider/captures.h"
#include "provider/derive.h"
#include "provider/exporter_rules.h"
#include "provider/policies.h"
#include "provider/source_parts.h"

namespace apiquota::provider {

// An Unread with the place of its header, so that all can be put in header order.
using PlacedUnread = std::pair<size_t, Unread>;

// Quotas in one response; more are nobody's and only cost memory.
inline constexpr size_t kReadingsMax = 64;
inline constexpr size_t kSeveralMax = 256;  // parts of texts that speak of several quotas

// The unit that the rule's `units` give a quota of this name; else the rule's own, unless one is `known`.
const std::string& UnitByWord(const QuotaRule& rule, std::string_view name,
                              const std::string* known = nullptr);

// Which quota of a family a source is read for.
struct QuotaKey {
  std::string_view star;                            // of the headers' names
  const std::vector<std::string>* names = nullptr;  // in texts that speak of several
};

class QuotaReader {
 public:
  QuotaReader(const Exporter& exporter, const http::Exchange& exchange, const Captures& captures,
              std::string_view resource, std::vector<PlacedUnread>* unread)
      : exporter_(exporter), exchange_(exchange), captures_(captures), resource_(resource), unread_(unread) {}

  // All rules in the file's order; merged, derived and sorted.
  std::vector<Reading> ReadAll();

 private:
  void ReadRule(size_t rule_index);
  void ReadFamily(size_t rule_index);
  void ReadSeveral(size_t rule_index);
  void ReadPolicies(size_t rule_index, Reading&& base);
  void ReadNamed(size_t rule_index, size_t at, std::vector<Policy> policies,
                 const std::vector<PolicyStatus>& statuses);
  void ReadUnnamed(size_t rule_index, Reading&& base, const std::vector<Policy>& policies);

  void Start(const QuotaRule& rule, std::string_view star, std::string_view resource, Reading* reading) const;
  Reading StartReading(const QuotaRule& rule) const;
  void StartSeveral(const QuotaRule& rule, const std::vector<std::string>& names, Reading* reading) const;
  void ReadFields(size_t rule_index, const QuotaKey& key, Reading* reading);
  // If its headers stand on several lines: the stricter reading.
  void ReadFurtherLines(size_t rule_index, const QuotaKey& key, Reading* reading);
  void ReadSources(size_t rule_index, size_t field, const QuotaKey& key, Reading* reading);
  std::optional<double> ExpectedReset(const QuotaRule& rule, const Reading& reading) const;
  double IntervalsToFill(const FieldSource& source, const Reading& reading) const;
  bool ReadField(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                 Reading* reading);
  bool ReadReset(const FieldSource& source, std::string_view text, size_t at, Reading* reading);
  bool ReadQuantity(SignalField field, const FieldSource& source, std::string_view text, size_t at,
                    Reading* reading);
  bool Refused(SignalField field, double number, const Reading& reading);
  void SetReset(double seconds, size_t at, Reading* reading);

  // What a source says for a key, and the place to blame for mistakes in it.
  struct SourceText {
    std::string_view text;
    size_t at = 0;
  };
  std::optional<SourceText> TextOf(size_t rule_index, size_t field, size_t source, const QuotaKey& key);
  std::optional<SourceText> PartOf(const FieldSource& source, std::string_view text, size_t at,
                                   SignalField field);
  void NoteNoPart(const FieldSource& source, size_t at, SignalField field);
  void CollectSeveral(size_t rule_index);
  std::vector<std::string> NamesAt(const FieldSource& source, const http::BodyValue& value) const;
  std::vector<NamedPart> ForEachResource(const QuotaRule& rule, const std::vector<NamedPart>& parts) const;

  // Of several lines that which is read, or the last.
  const Capture* FindField(size_t rule, size_t field, size_t source, std::string_view star);
  std::string ValueOf(const Capture& capture) const;  // all lines of the field
  std::vector<Policy> PoliciesOf(size_t rule_index, HeaderTarget::Kind kind, size_t field);
  std::vector<PolicyStatus> StatusesOf(size_t rule_index, size_t* at);
  std::string_view NameOf(const FieldSource& source, size_t at) const;  // for people
  void Note(size_t at, std::string_view header, std::string_view reason, UnreadKind kind, SignalField field);
  // Readings are filled in where they stay; one that turns out to say nothing is taken away again.
  Reading* Add() { return &readings_.emplace_back().reading; }
  void Settle(size_t rule_index, bool policy_named, bool named);
  void Keep(Reading&& reading, size_t rule_index, bool policy_named, bool named);

  const Exporter& exporter_;
  const http::Exchange& exchange_;
  const Captures& captures_;
  std::string_view resource_;
  std::vector<PlacedUnread>* unread_;
  boost::container::small_vector<SourcedReading, 4> readings_;

  // Of the rule being read: the parts of texts that speak of several quotas.
  struct Several {
    size_t field, source, at;
    NamedPart part;
  };
  std::vector<Several> several_;
  bool unlimited_ = false;                // a number of the family's member being read means "unlimited"
  bool negative_limit_ = false;           // of the quota being read,
  bool negative_remaining_ = false;       // or so much used, and both: it says nothing
  std::optional<double> expected_reset_;  // seconds until the reset, if the numbers tell
  size_t line_ = 0, lines_ = 1;           // of its headers: which is read, of how many levels
  std::string scratch_;                   // what the last TextOf may point into
};

}  // namespace apiquota::provider
