#include "cache/vary.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/codec_facts.h"

namespace apiquota::cache {
namespace {

template <class Note>
void ForEachName(const http::Fields& response, const Note& note) {
  for (size_t i = 0; i < response.size(); ++i) {
    const http::FieldView field = response[i];
    if (field.name.size() == 4 && EqualsIgnoreCase(field.name, "vary")) {
      http::ForEachElement(field.value, note);
    }
  }
}

// Fields whose words mean the same in any case (RFC 9110 sections 12.5.2 to 12.5.4).
bool IgnoresCase(std::string_view name) {
  return EqualsIgnoreCase(name, "accept-encoding") || EqualsIgnoreCase(name, "accept-language") ||
         EqualsIgnoreCase(name, "accept-charset");
}

// Blanks and commas in quoted strings mean themselves: a value that has one stays as it is.
void AddMembers(std::string_view value, Hasher* hasher) {
  if (value.find('"') != std::string_view::npos) {
    hasher->Add(value);
  } else {
    http::ForEachElement(value, [hasher](std::string_view member) { hasher->Add(member); });
  }
}

}  // namespace

bool VariesByAnything(const http::Fields& response) {
  bool anything = false;
  ForEachName(response, [&anything](std::string_view name) { anything = anything || name == "*"; });
  return anything;
}

std::optional<Digest> SelectingValue(const http::Fields& request, std::string_view name) {
  Hasher hasher;
  bool present = false;
  for (size_t i = 0; i < request.size(); ++i) {
    const http::FieldView field = request[i];
    if (!EqualsIgnoreCase(field.name, name)) continue;
    present = true;
    if (IgnoresCase(name)) {
      AddMembers(ToLower(field.value), &hasher);
    } else {
      AddMembers(field.value, &hasher);
    }
  }
  return present ? std::optional(hasher.Finish()) : std::nullopt;
}

Selectors SelectorsOf(const http::Fields& response, const http::Fields& request) {
  Selectors selectors;
  const auto add = [&selectors](std::string_view name) { selectors.push_back({ToLower(name), {}}); };
  ForEachName(response, add);
  if (response.Find("content-encoding")) add("accept-encoding");
  std::ranges::sort(selectors, {}, &Selector::name);
  const auto doubles = std::ranges::unique(selectors, {}, &Selector::name);
  selectors.erase(doubles.begin(), doubles.end());
  for (Selector& selector : selectors) selector.value = SelectingValue(request, selector.name);
  selectors.shrink_to_fit();
  return selectors;
}

bool Selection::Matches(const Selectors& selectors) {
  return std::ranges::all_of(selectors, [this](const Selector& s) { return ValueOf(s.name) == s.value; });
}

const std::optional<Digest>& Selection::ValueOf(std::string_view name) {
  const auto known = std::ranges::find(known_, name, [](const auto& entry) { return entry.first; });
  if (known != known_.end()) return known->second;
  return known_.emplace_back(name, SelectingValue(request_, name)).second;
}

}  // namespace apiquota::cache
