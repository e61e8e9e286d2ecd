// The whole of an exporter file as values: rules that ExtractSignals reads headers by, and that a simulation
// writes headers by. Immutable once loaded. exporters/README.md explains the same keys to people.
//
// From rule to header: for each QuotaRule, each FieldSource with From::kHeader names the header and
// formats.front() how to write it (formats.h WriteNumber, WriteMoment). A name holds at most one '*', the
// quota's own name.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/exporter.h"
#include "provider/formats.h"
#include "provider/pointer_set.h"
#include "provider/refusal.h"
#include "provider/signals.h"

namespace apiquota::provider {

// Where one field of a quota stands. Headers are lower case.
struct FieldSource {
  enum class From : uint8_t { kHeader, kBody, kConstant };
  From from = From::kHeader;
  std::string name;             // header, or JSON pointer into the response (a '*' segment: any key or index)
  std::vector<Format> formats;  // alternatives; empty for constants
  double constant = 0;          // in the field's unit; windows in seconds

  // Which part of the text it is (source_parts.h); nothing: all of it.
  size_t item = 0;                   // the Nth of a list, from 1
  std::string item_with{};           // or the element of a list that holds this "name=value"
  std::string field{};               // what stands behind "field="
  std::string pointer{};             // JSON that stands in a header
  std::vector<std::string> after{};  // what stands behind these texts, each behind the one before it
  std::string except{};              // this very text means "not said"
  std::string fill_rate{};           // windows: the header that says how much comes back in so long
  std::string
      named_by{};        // body: a pointer beside `name`, to the member that names the quota; empty: its key
  bool several = false;  // speaks of several quotas: a pointer with a '*' that names them, or such a format

  bool partial = false;  // one of the six above is said: a text has to be picked apart

  friend bool operator==(const FieldSource&, const FieldSource&) = default;
};

// The fields a quota rule may describe: indexes of QuotaRule::sources.
inline constexpr std::array<SignalField, 5> kQuotaFields = {SignalField::kLimit, SignalField::kRemaining,
                                                            SignalField::kUsed, SignalField::kReset,
                                                            SignalField::kWindow};

enum class WindowRule : uint8_t {
  kSaid,      // only what sources say
  kDerived,   // buckets: limit · (reset − now) / (limit − remaining)
  kFromName,  // the quota's name holds it: "tokens-minute", "req-10-second", "5h"
};

// What differs for one resource.
struct ResourceException {
  std::string resource;
  std::string quota;
  std::string unit;
  std::optional<double> window_seconds;

  friend bool operator==(const ResourceException&, const ResourceException&) = default;
};

struct UnitWord {
  std::string word;  // part of the quota's name
  std::string unit;
};

// One condition of a rule, on a header, on a body's scalar, or on one event of a stream. A pointer with a "*"
// asks whether any of its values passes.
struct Condition {
  enum class On : uint8_t { kHeader, kBody, kStream };
  enum class Test : uint8_t { kPresent, kEquals, kContains };  // texts compare without case
  On on = On::kHeader;
  Test test = Test::kPresent;
  std::string name;  // header or JSON pointer
  std::string text;

  friend bool operator==(const Condition&, const Condition&) = default;
};

// Which responses a rule speaks of.
struct When {
  std::vector<int> statuses;       // any of them; empty: all
  std::string path;                // prefix of the request's path; empty: any
  std::vector<Condition> headers;  // all of them
  bool events = false;             // in the events of a stream, the last that said it; else in a document

  friend bool operator==(const When&, const When&) = default;
};

// One quota (or one per name, if headers hold a '*'), or the several quotas of IETF policy fields.
struct QuotaRule {
  std::string quota;  // may hold one '*'
  When when;
  std::string unit;
  QuotaKind kind = QuotaKind::kFixed;
  bool kind_assumed = false;  // nobody documents it
  WindowRule window_rule = WindowRule::kSaid;
  std::array<std::vector<FieldSource>, kQuotaFields.size()>
      sources;  // in order of kQuotaFields; first readable wins
  std::string
      policy_header;  // RateLimit-Policy: integers (drafts 3 to 7) or names (8 and later); empty: none
  std::string
      status_header;  // RateLimit: a dictionary (draft 7) or a list of names (8 and later); empty: none
  std::vector<UnitWord> units;  // for names with '*': the first word the name holds gives the unit
  std::vector<ResourceException> by_resource;

  bool resource_from_star = false;  // the first '*' of a JSON pointer names the resource
  std::string resource_pointer;     // or the names that stand here do, below the same first '*'

  bool when_repeats = false;  // the rule before speaks of the same responses
  bool reads_body = false;    // some source stands in the response's body
  bool several = false;       // some source speaks of several quotas
  bool policies = false;      // policies may speak of it: in fields of their own, or in its limit

  const std::vector<FieldSource>& Sources(SignalField field) const;
};

// Where the resource's name stands; the first that gives one wins.
struct ResourceRule {
  enum class From : uint8_t { kHeader, kRequestBody, kResponseBody, kPath };
  From from = From::kHeader;
  std::string name;   // header, JSON pointer, or path prefix; each '*' of it is all up to the byte behind it
  std::string value;  // kPath: what the prefix means; empty: what its last '*' stands for
};

struct ThrottleRule {
  std::vector<int> statuses;          // any of them; never empty
  std::string path;                   // prefix of the request's path; empty: any
  std::vector<Condition> conditions;  // all of them
  ThrottleScope scope = ThrottleScope::kUnknown;

  size_t ConditionCount() const { return 1 + (path.empty() ? 0 : 1) + conditions.size(); }
  ThrottleSignal Signal() const;  // the strongest evidence: stream, body, header, status
};

// Where replies say how many tokens of one type were spent.
struct UsageRule {
  TokenType type = TokenType::kInput;
  std::vector<std::string>
      pointers;                     // alternatives; of a stream, and of several values, the last said counts
  std::optional<TokenType> within;  // the API counts them there, too: they are taken out of it
};

// Something a rule wants to know of bodies: read only where `when` holds.
struct BodyAsk {
  When when;
  bool stream = false;    // of the events of a stream, else of a JSON document
  uint64_t pointers = 0;  // bits of Exporter::body_pointers
};

// A compiled header lookup (header_index.h).
class HeaderIndex;

struct Exporter {
  ExporterInfo info;
  std::vector<ResourceRule> resources;
  std::vector<QuotaRule> quotas;
  std::vector<ThrottleRule> throttles;
  std::vector<FieldSource> retry_after;  // header or body; the longest counts
  std::vector<std::string> ignore;       // headers known to be no quota; may hold one '*'
  std::vector<std::string> detect;       // any of these headers hints at this API; may hold one '*'
  std::vector<UsageRule> usage;
  std::optional<RefusalRule> refusal;  // the API's own error shape; nothing: problem details
  std::bitset<1000> refusals;  // statuses by which, with their head and body, a throttle rule may hold
  bool merge_equal = false;    // equal readings of two rules are one quota, said twice

  std::shared_ptr<const HeaderIndex> index;
  PointerSet body_pointers;
  std::vector<BodyAsk> body_asks;
  uint64_t event_pointers = 0;  // of these, what quota rules ask of events
};

}  // namespace apiquota::provider
