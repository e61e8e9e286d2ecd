// What the rules of an exporter file want to know of a value, and the least of it that tells them the same.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "provider/exporter_rules.h"

namespace apiquota::cli {

// One rule's interest in a header's text or in a value of a body.
struct Interest {
  enum class Kind : uint8_t { kAmount, kCount, kCondition, kName };
  Kind kind = Kind::kName;
  const provider::FieldSource* source = nullptr;   // kAmount
  const provider::Condition* condition = nullptr;  // kCondition
};

// Of each JSON pointer into response bodies that some rule reads, in the file's spelling.
std::map<std::string, std::vector<Interest>> BodyInterests(const provider::Exporter& exporter);

// Of a response header, in any case; empty: nothing is read of it.
std::vector<Interest> HeaderInterests(const provider::Exporter& exporter, std::string_view name);

// The part of `text` that these rules read: amounts and times as they are, of a condition its own words,
// names without what looks like an identifier. What no rule reads is "redacted".
std::string Reduced(std::string_view text, const std::vector<Interest>& interests);

}  // namespace apiquota::cli
