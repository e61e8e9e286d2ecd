#include "provider/grammar.h"

#include <algorithm>

#include "provider/formats.h"
#include "provider/grammar_guard.h"
#include "provider/units.h"

namespace apiquota::provider {
namespace {

constexpr GrammarKey kFile[] = {
    {"name", Shape::kApiName, "In routes, labels and `--exporter`; the file's name, too.", "", true},
    {"title", Shape::kText, "For people.", "", true},
    {"docs", Shape::kUri, "The documentation that the facts are from."},
    {"hosts", Shape::kHosts, "By which the API is recognised; one `*` stands for any text."},
    {"self_hosted", Shape::kFlag, "Instances stand under other hosts, too: there headers may find it."},
    {"proxyable", Shape::kFlag, "`false`: kept out of the proxy, for the reason that `why` says."},
    {"why", Shape::kText, "Why it can't be proxied, for people."},
    {"base_url", Shape::kHttpsUrl, "Left out if every customer has a host of their own."},
    {"credential", Shape::kPlaces, "Where the caller's credential stands; it is only ever fingerprinted.",
     "credential"},
    {"links", Shape::kPlainHeaders,
     "Response headers, beside `Location`, `Content-Location` and `Link`, that hold one address of the API's "
     "own each: clients get it with the agent in its place."},
    {"poll", Shape::kPlace, "An endpoint that says what is left when nothing else is asked.", "poll"},
    {"resource", Shape::kPlaces, "What part of the API the quotas cover; the first that gives a name wins.",
     "resource"},
    {"quotas", Shape::kPlaceList, "What is limited, and where the API says how much is left.", "quota"},
    {"throttle", Shape::kPlaceList,
     "How the API refuses. Of the rules that hold, the one with most conditions wins, then the file's order.",
     "throttle"},
    {"retry_after", Shape::kRetryAfter,
     "How long to wait: headers (`retry-after-ms` is in milliseconds, others in seconds, dates or epochs) or "
     "sources; of several the longest. `retry-after` if left out."},
    {"usage", Shape::kPlace, "What a reply cost in tokens.", "usage"},
    {"charge", Shape::kPlace, "How a request is counted against limits.", "charge"},
    {"batch", Shape::kPlace,
     "An endpoint that takes many calls at once, answers them later and asks less for them.", "batch"},
    {"refusal", Shape::kPlace, "The API's own error, in whose shape a refusal by the agent comes.",
     "refusal"},
    {"not_modified_is_free", Shape::kFlag, "An answer 304 takes nothing from the quotas."},
    {"ignore", Shape::kHeaders, "Headers that look like limits and are none; may hold a `*`."},
    {"detect", Shape::kHints,
     "Headers, or `name: value`, that are this API's own, by which it is recognised where the host is "
     "unknown; "
     "both may hold a `*`."},
    {"merge_equal", Shape::kFlag,
     "Readings of two rules with the same limit and remaining are one quota, said twice."},
};

constexpr GrammarKey kCredential[] = {
    {"header", Shape::kHeader, "A request header, in lower case."},
    {"query", Shape::kText,
     "A parameter of the query; its name is found however it is escaped, the key is what its value means."},
    {"scheme", Shape::kText, "What stands before the credential, such as `Bearer`."},
    {"part", Shape::kWord,
     "Of what Basic encodes, the half that is a token which also comes alone elsewhere in the list; never in "
     "the "
     "list's first.",
     "parts"},
    {"except", Shape::kText,
     "Beside `part`: this text there, or nothing, means that the other half is the token."},
    {"claim", Shape::kText,
     "Where a JSON Web Token stands: the claim that says whose it is, so that the next one issued is the "
     "same key."},
};

constexpr GrammarKey kPoll[] = {
    {"method", Shape::kWord, "`GET` if left out.", "methods"},
    {"path", Shape::kPath, "Under `base_url`, with a query if need be.", "", true},
    {"costs", Shape::kText, "What one poll takes: `nothing`, or a unit and an amount such as `requests 1`.",
     "", true},
    {"headers", Shape::kScalarMap, "Sent beside the credential."},
};

constexpr GrammarKey kResource[] = {
    {"header", Shape::kHeader, "In this response header."},
    {"request_body", Shape::kPointer, "In the request, as in `/model`."},
    {"response_body", Shape::kPointer, "In the response."},
    {"path", Shape::kPath,
     "For paths that begin so the resource is `value`; or what stands at the path's last `*`. Each `*` is "
     "all "
     "up to the byte behind it or the next slash."},
    {"value", Shape::kName, "What the path means."},
};

constexpr GrammarKey kQuota[] = {
    {"quota", Shape::kName,
     "Its name. With a `*`, every header of the rule holds a `*` too, and each name found there is a quota "
     "of its own: `quota: \"*\"`, `limit: {header: x-ratelimit-limit-*}`.",
     "", true},
    {"when", Shape::kPlace, "Which responses the rule speaks of; all that is said must hold.", "when"},
    {"unit", Shape::kWord,
     "What is counted: `percent` has limit 100, `ratio` limit 1, and what an API counts in something of its "
     "own are `points`.",
     "units", true},
    {"kind", Shape::kWord,
     "How it comes back: `fixed` (all at the reset), `sliding`, `bucket` (continuously; the reset says when "
     "it is full), `concurrency` (when calls end), `balance` (never by itself); `unknown`: as a fixed window "
     "until its end is seen to move on with its answers.",
     "kinds", true},
    {"limit", Shape::kPlaces, "Where it stands; one source or a list, of which the first readable counts.",
     "source"},
    {"remaining", Shape::kPlaces, "Likewise: how much is left.", "source"},
    {"used", Shape::kPlaces, "Likewise: how much is spent.", "source"},
    {"reset", Shape::kPlaces, "Likewise: when it comes back; its `format` must be said.", "source"},
    {"window", Shape::kWindow,
     "How long until all is back: `{header: …}`, `{value: 60s}`, `derived` (buckets: limit · time to full / "
     "amount missing), `from-name` (`tokens-minute`, `5h`); a list tries the headers first.",
     "windows"},
    {"policy", Shape::kHeader,
     "The IETF field `ratelimit-policy`. Several policies are several quotas, named as the policies are, "
     "else `<quota>-<window>s`."},
    {"status", Shape::kHeader, "The IETF field `ratelimit`."},
    {"units", Shape::kWordMap,
     "For `*` and policies: `{tokens: tokens, image: images}`; the first word the name holds gives the unit, "
     "else `unit`.",
     "units"},
    {"by_resource", Shape::kPlaceMap,
     "What differs for some resources: `{graphql: {quota: points, unit: points}, search: {window: 60s}}`.",
     "by_resource"},
    {"resource", Shape::kResourceNames,
     "`\"*\"`: the first `*` of the rule's JSON pointers names the resource; or the names stand elsewhere "
     "below that "
     "`*`.",
     "resource_names"},
};

constexpr GrammarKey kResourceNames[] = {
    {"body", Shape::kPointer,
     "A pointer with the first `*` of the rule's others: each name that stands there is a resource, as in "
     "`/data/*/models/*`.",
     "", true},
};

constexpr GrammarKey kByResource[] = {
    {"quota", Shape::kName, "Another name."},
    {"unit", Shape::kWord, "Another unit.", "units"},
    {"window", Shape::kDuration, "Another window, such as `60s`."},
};

constexpr GrammarKey kSource[] = {
    {"body", Shape::kPointer,
     "A JSON pointer into the response; `*` any key or index, `*=member` an element and what names its "
     "quota."},
    {"value", Shape::kAmount,
     "A constant from the documentation: a number; for a window a duration such as `60s`."},
    {"format", Shape::kWords,
     "How it is written; of several the value decides, and ties go to the list's order.", "formats"},
    {"header", Shape::kHeader, "A response header, in lower case; a `*` stands for the quota's name."},
    {"item", Shape::kItem,
     "The element of a list: its number, from 1, or a `name=value` that it holds. `2`: of `200,2000` the "
     "second."},
    {"field", Shape::kText,
     "What stands behind this name; with `item`, in that element. `remaining`: of `total=20; remaining=19; "
     "resets=15`."},
    {"pointer", Shape::kPointer,
     "A place in JSON that stands in a header. `/call_count`: of `{\"call_count\":28}`."},
    {"except", Shape::kScalar, "This very text means that nothing was said."},
    {"after", Shape::kTexts,
     "The word behind this text, in any case, without a mark that ends the sentence or the commas in a "
     "number. "
     "`\"try again in \"`: of `Please try again in 6m0s.` Of a list each text stands behind the one before "
     "it."},
    {"fill_rate", Shape::kPlainHeader,
     "Of a bucket's window: the header that says how much comes back in so long; full after limit · interval "
     "/ rate."},
};

constexpr GrammarKey kWhen[] = {
    {"status", Shape::kStatuses, "Any of these statuses."},
    {"path", Shape::kPath,
     "How the request's path begins (a path that `explain` is not told rules nothing out)."},
    {"header", Shape::kPlaces, "All of these headers.", "header_condition"},
    {"events", Shape::kFlag,
     "The rule's pointers are looked for in each event of a stream, of which the last that said it counts."},
};

constexpr GrammarKey kThrottle[] = {
    {"status", Shape::kStatuses, "Any of these statuses.", "", true},
    {"path", Shape::kPath, "How the path begins."},
    {"header", Shape::kPlaces, "All of these headers.", "header_condition"},
    {"body", Shape::kPlaces, "All of these values in the JSON body.", "body_condition"},
    {"stream", Shape::kPlaces, "All of these values in one event of a stream.", "body_condition"},
    {"scope", Shape::kWord,
     "Which limit it is: a quota, one beside the quotas, too many calls at a time, the API's own overload, "
     "money.",
     "scopes", true},
};

constexpr GrammarKey kHeaderCondition[] = {
    {"name", Shape::kHeader, "The header, in lower case.", "", true},
    {"equals", Shape::kScalar, "Its whole text, without regard to case."},
    {"contains", Shape::kText, "A part of its text, without regard to case."},
};

constexpr GrammarKey kBodyCondition[] = {
    {"pointer", Shape::kPointer, "Where it stands; with a `*` any of its values will do.", "", true},
    {"equals", Shape::kScalar, "Its whole text, without regard to case."},
    {"contains", Shape::kText, "A part of its text, without regard to case."},
};

constexpr GrammarKey kUsage[] = {
    {"input", Shape::kTokenCounts,
     "Read anew: the prompt without what came from a cache or was written to one.", "usage_within"},
    {"cached_input", Shape::kTokenCounts, "Of the prompt, read from the provider's cache.", "usage_within"},
    {"cache_write", Shape::kTokenCounts, "Of the prompt, written to the provider's cache.", "usage_within"},
    {"output", Shape::kTokenCounts, "The answer, without `reasoning`.", "usage_within"},
    {"reasoning", Shape::kTokenCounts, "Thought, and not shown.", "usage_within"},
};

constexpr GrammarKey kUsageWithin[] = {
    {"pointer", Shape::kPointers, "Where it stands in the body; of alternatives the first that is there.", "",
     true},
    {"within", Shape::kWord, "The type that it is taken out of.", "token types", true},
};

constexpr std::string_view kOneOfCredential[] = {"header", "query"};
constexpr std::string_view kOneOfSource[] = {"header", "body", "value"};
constexpr std::string_view kOneOfResource[] = {"header", "request_body", "response_body", "path"};

constexpr GrammarPlace kPlaces[] = {
    {"", "How one API speaks about its limits.", kFile},
    {"credential", "A place in a request where the credential stands.", kCredential, kOneOfCredential},
    {"poll", "An endpoint that says what is left when nothing else is asked.", kPoll},
    {"resource", "Where the name of the part of the API stands that the quotas cover.", kResource,
     kOneOfResource},
    {"quota", "One limited thing, or with a `*` one per name that the API brings.", kQuota},
    {"by_resource", "What differs for this resource.", kByResource},
    {"resource_names", "Where an element says which resources it speaks of.", kResourceNames},
    {"source", "Where one value stands, and which part of the text it is.", kSource, kOneOfSource},
    {"when", "Which responses the rule speaks of.", kWhen},
    {"throttle", "A response by which the API refuses or slows down.", kThrottle},
    {"header_condition", "A header that must be there, or say something.", kHeaderCondition},
    {"body_condition", "A value that must be there in the JSON body, or say something.", kBodyCondition},
    {"usage", "What a reply cost in tokens; types that are apart from each other.", kUsage},
    {"usage_within", "A count that the API adds to another one, too.", kUsageWithin},
    {"charge", "How a request is counted against limits.", kCharge},
    {"charge_tokens", "How the tokens of a request are counted against limits in tokens.", kChargeTokens},
    {"by_quota", "What differs for this quota.", kByQuota},
    {"batch", "Which calls the API takes many at once of.", kBatch},
    {"refusal", "An error as the API writes it.", kRefusal},
};

template <class Table>
std::vector<std::string_view> FirstOf(const Table& table) {
  std::vector<std::string_view> words;
  for (const auto& entry : table) words.push_back(entry.first);
  return words;
}

}  // namespace

std::span<const GrammarPlace> Grammar() { return kPlaces; }

const GrammarPlace& PlaceNamed(std::string_view name) {
  const auto* found = std::ranges::find(kPlaces, name, &GrammarPlace::name);
  return found == std::end(kPlaces) ? kPlaces[0] : *found;
}

std::vector<std::string_view> WordsNamed(std::string_view list) {
  if (list == "kinds") return FirstOf(kKindWords);
  if (list == "scopes") return FirstOf(kScopeWords);
  if (list == "formats") return FirstOf(FormatWords());
  if (list == "units") return FirstOf(kUnits);
  if (list == "windows") return FirstOf(kWindowWords);
  if (list == "token types") return FirstOf(kTokenTypeWords);
  if (list == "parts") return FirstOf(kCredentialPartWords);
  if (list == "methods") return FirstOf(kPollMethodWords);
  if (list == "sides") return FirstOf(kTokenSideWords);
  if (list == "caps") return FirstOf(kCapWords);
  if (list == "charge times") return FirstOf(kChargeTimeWords);
  if (list == "cached") return FirstOf(kCachedWords);
  return {"*"};
}

}  // namespace apiquota::provider
