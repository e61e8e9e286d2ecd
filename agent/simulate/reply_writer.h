// A response in the making, said one value at a time in the forms of an exporter file: headers, elements and
// names within a header, JSON within a header, places in a JSON body. The opposite of
// provider/source_parts.h. Pure; not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/fields.h"
#include "provider/exporter_rules.h"

namespace apiquota::simulate {

// "x-ratelimit-limit-*" with the name in the star's place.
std::string FillStar(std::string_view pattern, std::string_view name);

class ReplyWriter {
 public:
  ReplyWriter();
  ~ReplyWriter();

  // What a '*' stands for: in a header's name the last of `names`, in a pointer each in its turn. What was
  // said first stays.
  void Say(const provider::FieldSource& source, const std::vector<std::string>& names,
           const std::string& value);

  void SetHeader(const std::string& name, const std::string& value);  // whatever was said before
  bool HasHeader(const std::string& name) const;

  // The whole of a body's value, or words that it holds among others. A '*' is an array's first element.
  void SetBody(const std::string& pointer, const std::string& value);
  void AddToBody(const std::string& pointer, const std::string& words);
  void SayBehind(const provider::FieldSource& source, const std::string& value);
  bool body_said() const;

  http::Fields Fields() const;
  // The JSON document, with the members of `more` (an object) where nothing was said.
  std::string Body(const nlohmann::ordered_json& more) const;

 private:
  struct Draft;
  Draft& DraftOf(const std::string& name);

  std::vector<std::unique_ptr<Draft>> drafts_;  // headers, in the order they were first spoken of
  std::unique_ptr<nlohmann::ordered_json> body_;
};

}  // namespace apiquota::simulate
