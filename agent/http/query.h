// The query of a request target or address, parameter by parameter (RFC 3986 3.4): split at '&' and '=' as
// forms are (WHATWG URL 5.1), but for '+', which stays a '+' as no key holds a blank. Pure; views live as
// long as the text.
#pragma once

#include <string>
#include <string_view>

namespace apiquota::http {

// Behind the first '?', without a fragment; "" if there is none.
std::string_view QueryOf(std::string_view address);

// "appid=a%2Bb" as it stands; without a '=' the value is empty.
struct QueryParameter {
  std::string_view text;  // all of it
  std::string_view name;
  std::string_view value;
};

// while (reader.Next(&parameter)) …, in the query's order.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}
  bool Next(QueryParameter* parameter);

 private:
  std::string_view rest_;
};

// Whether a name or value as it stands means `name` once it is decoded, without regard to case: there are
// servers that have none.
bool MeansName(std::string_view written, std::string_view name);

// RFC 3986 2.1; what is no code stays.
std::string PercentDecoded(std::string_view text);

// `address` with one parameter more, percent-encoded. REQUIRES: no fragment.
void AppendParameter(std::string_view name, std::string_view value, std::string* address);

// Leaves out the parameters for which `gone` holds; everything else stays as it is, byte for byte. False if
// there were none.
template <class Gone>
bool RemoveParameters(std::string* address, const Gone& gone) {
  const std::string_view query = QueryOf(*address);
  if (query.empty()) return false;
  const auto begin = static_cast<size_t>(query.data() - address->data());
  std::string kept;
  QueryReader reader(query);
  bool removed = false;
  for (QueryParameter parameter; reader.Next(&parameter);) {
    if (gone(parameter)) {
      removed = true;
      continue;
    }
    if (!kept.empty()) kept.push_back('&');
    kept.append(parameter.text);
  }
  if (!removed) return false;
  const size_t mark = kept.empty() ? 1 : 0;  // nothing left: not even the '?'
  address->replace(begin - mark, query.size() + mark, kept);
  return true;
}

}  // namespace apiquota::http
