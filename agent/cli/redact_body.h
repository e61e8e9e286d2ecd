// JSON as a recording shows it: what the rules of an exporter file read, reduced (redact_value.h), and the
// names and kinds of what stands beside it, so that a person sees what else there is to read. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/redact_value.h"

namespace apiquota::cli {

class JsonRedactor {
 public:
  // By JSON pointer; "*" stands for any key or index.
  explicit JsonRedactor(const std::map<std::string, std::vector<Interest>>& interests);

  nlohmann::ordered_json Redacted(const nlohmann::ordered_json& document) const;
  // Whether anything is read of it.
  bool Reads(const nlohmann::ordered_json& document) const;

  // A whole body: a document, or the events of a stream that say something. What is neither is left out.
  std::string RedactedBody(std::string_view body) const;

 private:
  struct Pointer {
    std::vector<std::string> tokens;
    std::vector<Interest> interests;
  };
  using Alive = std::vector<const Pointer*>;
  using Json = nlohmann::ordered_json;

  static Alive Below(const Alive& alive, size_t depth, const std::string& key, bool* by_name);
  static std::vector<Interest> EndingAt(const Alive& alive, size_t depth);
  Json Walk(const Json& node, const Alive& alive, size_t depth) const;
  bool ReadsBelow(const Json& node, const Alive& alive, size_t depth) const;
  Alive All() const;

  std::vector<Pointer> pointers_;
};

}  // namespace apiquota::cli
