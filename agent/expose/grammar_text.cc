#include "expose/grammar_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "provider/grammar.h"

namespace apiquota::expose {
namespace {

using Json = nlohmann::ordered_json;
using provider::GrammarKey;
using provider::GrammarPlace;
using provider::Shape;

constexpr const char* kHeader = "^[a-z0-9._*-]+$";
constexpr const char* kPlainHeader = "^[a-z0-9._-]+$";

Json TextLike(const char* pattern) { return {{"type", "string"}, {"pattern", pattern}}; }
Json PlaceRef(std::string_view place) { return {{"$ref", fmt::format("#/definitions/{}", place)}}; }
Json ListOf(const Json& item) { return {{"type", "array"}, {"items", item}}; }
Json OneOrList(const Json& item) { return {{"oneOf", {item, ListOf(item)}}}; }
Json MapOf(const Json& item) { return {{"type", "object"}, {"additionalProperties", item}}; }
Json Words(std::string_view list) { return {{"enum", provider::WordsNamed(list)}}; }
Json Either(const Json& a, const Json& b) { return {{"oneOf", {a, b}}}; }

Json Scalar() { return {{"type", {"string", "number", "boolean"}}}; }
Json Status() { return {{"type", "integer"}, {"minimum", 100}, {"maximum", 999}}; }
Json Item() { return Either({{"type", "integer"}, {"minimum", 1}, {"maximum", 32}}, TextLike("=")); }

Json TokenCounts(std::string_view place) {
  const Json pointer = TextLike("^/");
  return {{"oneOf", {pointer, ListOf(pointer), PlaceRef(place)}}};
}

Json ShapeOfText(const GrammarKey& key) {
  switch (key.shape) {
    case Shape::kName:
      return {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}};
    case Shape::kApiName:
      return TextLike("^[a-z0-9-]{1,64}$");
    case Shape::kUri:
      return {{"type", "string"}, {"format", "uri"}};
    case Shape::kHttpsUrl:
      return TextLike("^https://");
    case Shape::kHeader:
      return TextLike(kHeader);
    case Shape::kPlainHeader:
      return TextLike(kPlainHeader);
    case Shape::kPointer:
    case Shape::kPath:
      return TextLike("^/");
    case Shape::kWord:
      return Words(key.of);
    case Shape::kFlag:
      return {{"type", "boolean"}};
    case Shape::kScalar:
      return Scalar();
    case Shape::kAmount:
      return {{"type", {"number", "string"}}};
    case Shape::kCount:
      return {{"type", "number"}, {"minimum", 0}};
    case Shape::kStatus:
      return Status();
    case Shape::kItem:
      return Item();
    default:
      return {{"type", "string"}, {"minLength", 1}};
  }
}

Json ShapeOf(const GrammarKey& key) {
  switch (key.shape) {
    case Shape::kHosts:
      return ListOf(TextLike("^[a-z0-9._*-]+$"));
    case Shape::kHeaders:
      return OneOrList(TextLike(kHeader));
    case Shape::kHints:
      return OneOrList(TextLike("^[a-z0-9._*-]+(: .+)?$"));
    case Shape::kTexts:
      return OneOrList({{"type", "string"}, {"minLength", 1}});
    case Shape::kPlainHeaders:
      return OneOrList(TextLike(kPlainHeader));
    case Shape::kPointers:
    case Shape::kPaths:
      return OneOrList(TextLike("^/"));
    case Shape::kStatuses:
      return OneOrList(Status());
    case Shape::kWordMap:
      return MapOf(Words(key.of));
    case Shape::kScalarMap:
      return MapOf(Scalar());
    case Shape::kPlace:
      return PlaceRef(key.of);
    case Shape::kPlaces:
      return OneOrList(PlaceRef(key.of));
    case Shape::kPlaceList:
      return ListOf(PlaceRef(key.of));
    case Shape::kPlaceMap:
      return MapOf(PlaceRef(key.of));
    case Shape::kWords:
      return OneOrList(Words(key.of));
    case Shape::kWindow:
      return OneOrList(Either(PlaceRef("source"), Words(key.of)));
    case Shape::kRetryAfter:
      return OneOrList(Either(TextLike(kHeader), PlaceRef("source")));
    case Shape::kResourceNames:
      return Either(Words("star"), PlaceRef(key.of));
    case Shape::kTokenCounts:
      return TokenCounts(key.of);
    default:
      return ShapeOfText(key);
  }
}

Json PlaceSchema(const GrammarPlace& place) {
  Json schema = {{"type", "object"}, {"description", place.meaning}, {"additionalProperties", false}};
  Json required = Json::array();
  Json properties = Json::object();
  for (const GrammarKey& key : place.keys) {
    Json property = ShapeOf(key);
    // Draft 7 ignores what stands beside a $ref: the place's own description is shown then.
    if (!property.contains("$ref")) property["description"] = key.meaning;
    properties[std::string(key.name)] = std::move(property);
    if (key.required) required.push_back(key.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  schema["properties"] = std::move(properties);
  for (const std::string_view one : place.one_of) schema["oneOf"].push_back({{"required", {one}}});
  return schema;
}

// What stands behind a key whose value is a map with keys of its own.
std::string MapInWords(const GrammarKey& key) {
  switch (key.shape) {
    case Shape::kPlaces:
      return fmt::format("map: {}, or list", key.of);
    case Shape::kPlaceList:
      return fmt::format("list of maps: {}", key.of);
    case Shape::kPlaceMap:
      return fmt::format("map to maps: {}", key.of);
    case Shape::kWindow:
      return fmt::format("map: source, or one of the {}, or list", key.of);
    case Shape::kRetryAfter:
      return "header or map: source, or list";
    case Shape::kResourceNames:
      return fmt::format("`\"*\"`, or map: {}", key.of);
    case Shape::kTokenCounts:
      return fmt::format("JSON pointer, or list, or map: {}", key.of);
    default:
      return fmt::format("map: {}", key.of);
  }
}

// What stands behind a key, in a few words.
std::string InWords(const GrammarKey& key) {
  switch (key.shape) {
    case Shape::kName:
    case Shape::kApiName:
      return "name";
    case Shape::kUri:
    case Shape::kHttpsUrl:
      return "URL";
    case Shape::kHosts:
      return "list of hosts";
    case Shape::kFlag:
      return "true or false";
    case Shape::kHeader:
    case Shape::kPlainHeader:
      return "header";
    case Shape::kHeaders:
    case Shape::kPlainHeaders:
      return "header, or list";
    case Shape::kPointer:
      return "JSON pointer";
    case Shape::kPointers:
      return "JSON pointer, or list";
    case Shape::kPath:
      return "path";
    case Shape::kPaths:
      return "path, or list";
    case Shape::kStatuses:
      return "status, or list";
    case Shape::kWord:
      return fmt::format("one of the {}", key.of);
    case Shape::kWords:
      return fmt::format("one of the {}, or list", key.of);
    case Shape::kWordMap:
      return fmt::format("map to {}", key.of);
    case Shape::kScalar:
      return "text or number";
    case Shape::kScalarMap:
      return "map of texts";
    case Shape::kAmount:
      return "number or duration";
    case Shape::kCount:
      return "number";
    case Shape::kStatus:
      return "status";
    case Shape::kDuration:
      return "duration";
    case Shape::kItem:
      return "number, or `name=value`";
    case Shape::kText:
      return "text";
    case Shape::kTexts:
      return "text, or list";
    case Shape::kHints:
      return "header or `name: value`, or list";
    default:
      return MapInWords(key);
  }
}

// A "|" would begin another cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
  return cell;
}

}  // namespace

std::string GrammarAsSchema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "An exporter file of apiquota"}};
  const Json file = PlaceSchema(provider::PlaceNamed(""));
  for (const auto& [name, value] : file.items()) schema[name] = value;
  schema["definitions"] = Json::object();
  for (const GrammarPlace& place : provider::Grammar()) {
    if (!place.name.empty()) schema["definitions"][std::string(place.name)] = PlaceSchema(place);
  }
  return schema.dump(2) + "\n";
}

std::string GrammarAsTables() {
  std::string text;
  for (const GrammarPlace& place : provider::Grammar()) {
    text += place.name.empty() ? "### The file\n\n" : fmt::format("### {}\n\n", place.name);
    text += fmt::format("{}", place.meaning);
    if (!place.one_of.empty()) {
      text += fmt::format(" Exactly one of `{}` is said.", fmt::join(place.one_of, "`, `"));
    }
    text += "\n\n| key | what stands there | meaning |\n|---|---|---|\n";
    for (const GrammarKey& key : place.keys) {
      text += fmt::format("| `{}`{} | {} | {} |\n", key.name, key.required ? " (required)" : "",
                          Cell(InWords(key)), Cell(key.meaning));
    }
    text += "\n";
  }
  text += "### The closed lists\n\n| list | words |\n|---|---|\n";
  for (const std::string_view list : {"kinds", "windows", "units", "formats", "scopes", "token types",
                                      "methods", "sides", "caps", "charge times", "cached"}) {
    text += fmt::format("| {} | `{}` |\n", list, fmt::join(provider::WordsNamed(list), "`, `"));
  }
  return text;
}

}  // namespace apiquota::expose
