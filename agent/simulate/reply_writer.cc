#include "simulate/reply_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/text.h"

namespace apiquota::simulate {
namespace {

using Json = nlohmann::ordered_json;
using provider::FieldSource;
using provider::Format;

// Numbers, true and false as such; everything else is a text.
Json Scalar(const std::string& value) {
  const Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  return parsed.is_number() || parsed.is_boolean() ? parsed : Json(value);
}

bool IsIndex(std::string_view segment) {
  return segment.size() == 1 && segment[0] >= '0' && segment[0] <= '9';
}

// The element whose member `member` says `name`; made if there is none.
Json* Element(Json* list, const std::string& member, const std::string& name) {
  if (!list->is_array()) *list = Json::array();
  for (Json& element : *list) {
    if (element.value(member, "") == name) return &element;
  }
  list->push_back({{member, name}});
  return &list->back();
}

Json* Child(Json* value, const std::string& key) {
  if (IsIndex(key) && !value->is_object()) {
    if (!value->is_array()) *value = Json::array();
    const auto index = static_cast<size_t>(key[0] - '0');
    while (value->size() <= index) value->push_back(nullptr);
    return &(*value)[index];
  }
  if (!value->is_object()) *value = Json::object();
  return &(*value)[key];
}

std::string Unescaped(std::string_view segment) {
  std::string text;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool escape = segment[i] == '~' && i + 1 < segment.size();
    text += !escape ? segment[i] : segment[++i] == '1' ? '/' : '~';
  }
  return text;
}

// The texts that a value stands behind, as one.
std::string Leads(const FieldSource& source) { return fmt::format("{}", fmt::join(source.after, "")); }

// The pointer of a source in a body as its file has it: with the member that names the quota.
std::string BodyPointer(const FieldSource& source) {
  if (source.named_by.empty()) return source.name;
  std::string pointer = source.name;
  pointer.insert(pointer.rfind('*') + 1, "=" + source.named_by.substr(source.named_by.rfind('/') + 1));
  return pointer;
}

// The value at a JSON pointer, made if it is not there; each '*' is the next of `names`, then "0".
Json* At(Json* value, std::string_view pointer, const std::vector<std::string>& names) {
  size_t star = 0;
  for (const std::string_view segment : Split(pointer.substr(1), '/')) {
    if (!segment.starts_with('*')) {
      value = Child(value, Unescaped(segment));
      continue;
    }
    const std::string name = star < names.size() ? names[star++] : "0";
    value = segment == "*" ? Child(value, name) : Element(value, std::string(segment.substr(2)), name);
  }
  return value;
}

}  // namespace

std::string FillStar(std::string_view pattern, std::string_view name) {
  const size_t at = pattern.find('*');
  if (at == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, at)) + std::string(name) + std::string(pattern.substr(at + 1));
}

// A header: a value, or a list of elements, of which each is a value or has names.
struct ReplyWriter::Draft {
  struct Part {
    size_t item = 0;        // its place; 0: wherever
    std::string item_with;  // the member by which it is found
    std::string value;
    std::vector<std::string> members;  // "name=value"
  };

  explicit Draft(std::string header) : name(std::move(header)) {}

  Part& PartOf(const FieldSource& source) {
    for (Part& part : parts) {
      if (part.item == source.item && part.item_with == source.item_with) return part;
    }
    parts.push_back({source.item, source.item_with, "", {}});
    return parts.back();
  }

  std::string Text() const {
    if (plain) return *plain;
    if (!json.is_null()) return json.dump();
    if (parts.size() == 1 && parts[0].item <= 1) return TextOf(parts[0], "; ");
    const bool named = std::ranges::any_of(parts, [](const Part& part) { return !part.members.empty(); });
    // Those nobody spoke of say nothing, in the form of the others.
    const std::string blank = named ? "-, -" : "";
    std::vector<std::string> elements;
    for (const Part& part : parts) {
      const size_t place = part.item > 0 ? part.item - 1 : elements.size();
      elements.resize(std::max(elements.size(), place + 1), blank);
      elements[place] = TextOf(part, ", ");
    }
    return fmt::format("{}", fmt::join(elements, named ? "; " : ","));
  }

  static std::string TextOf(const Part& part, std::string_view separator) {
    std::string text = part.item_with;
    for (const std::string& member : part.members) {
      if (!text.empty()) text += separator;
      text += member;
    }
    return text.empty() ? part.value : text;
  }

  std::string name;
  std::optional<std::string> plain;
  std::vector<Part> parts;
  Json json;
};

ReplyWriter::ReplyWriter() : body_(std::make_unique<Json>()) {}
ReplyWriter::~ReplyWriter() = default;

ReplyWriter::Draft& ReplyWriter::DraftOf(const std::string& name) {
  const auto same = std::ranges::find(drafts_, name, [](const auto& draft) { return draft->name; });
  if (same != drafts_.end()) return **same;
  drafts_.push_back(std::make_unique<Draft>(name));
  return *drafts_.back();
}

void ReplyWriter::Say(const FieldSource& source, const std::vector<std::string>& names,
                      const std::string& value) {
  const std::string last = names.empty() ? "" : names.back();
  if (source.from == FieldSource::From::kBody) {
    if (!source.after.empty()) return SayBehind(source, value);
    Json* place = At(body_.get(), BodyPointer(source), names);
    if (place->is_null()) *place = Scalar(value);
    return;
  }
  Draft& draft = DraftOf(FillStar(source.name, last));
  if (!source.pointer.empty()) {
    Json* place = At(&draft.json, source.pointer, names);
    if (place->is_null()) *place = Scalar(value);
  } else if (source.several) {
    const bool counts = source.formats.front() == Format::kCounts;
    const std::string member = fmt::format("{}:{}", value, counts ? last : last + ":organization");
    draft.plain = draft.plain ? *draft.plain + "," + member : member;
  } else if (source.item > 0 || !source.item_with.empty() || !source.field.empty()) {
    Draft::Part& part = draft.PartOf(source);
    if (source.field.empty()) {
      part.value = value;
    } else {
      part.members.push_back(fmt::format("{}={}", source.field, value));
    }
  } else if (!draft.plain) {
    draft.plain = Leads(source) + value;
  }
}

// "(TPM): Limit 15", and behind it ", Used 10".
void ReplyWriter::SayBehind(const FieldSource& source, const std::string& value) {
  Json* place = At(body_.get(), source.name, {});
  const std::string said = place->is_string() ? place->get<std::string>() : "";
  if (source.after.size() == 1 || said.find(source.after.front()) == std::string::npos)
    return AddToBody(source.name, Leads(source) + value);
  const auto rest = std::span(source.after).subspan(1);
  *place = fmt::format("{}, {}{}", said, fmt::join(rest, ""), value);
}

void ReplyWriter::SetHeader(const std::string& name, const std::string& value) {
  DraftOf(name).plain = value;
}

bool ReplyWriter::HasHeader(const std::string& name) const {
  return std::ranges::any_of(drafts_, [&](const auto& draft) { return draft->name == name; });
}

void ReplyWriter::SetBody(const std::string& pointer, const std::string& value) {
  *At(body_.get(), pointer, {}) = Scalar(value);
}

void ReplyWriter::AddToBody(const std::string& pointer, const std::string& words) {
  Json* place = At(body_.get(), pointer, {});
  *place = place->is_string() ? place->get<std::string>() + ". " + words : words;
}

bool ReplyWriter::body_said() const { return !body_->is_null(); }

http::Fields ReplyWriter::Fields() const {
  http::Fields fields;
  for (const auto& draft : drafts_) fields.Add(draft->name, draft->Text());
  return fields;
}

std::string ReplyWriter::Body(const Json& more) const {
  if (body_->is_array()) return body_->dump() + "\n";
  Json document = more;
  if (body_->is_object()) document.update(*body_);
  return document.dump() + "\n";
}

}  // namespace apiquota::simulate
