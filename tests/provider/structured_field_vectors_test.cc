// Every parsing case of the public vectors (httpwg/structured-field-tests), if APIQUOTA_SF_TESTS names a copy
// of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "provider/structured_field.h"

namespace apiquota::provider::sf {
namespace {

using nlohmann::json;

// RFC 4648 6, as the vectors write byte sequences.
std::string Base32(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(c);
    for (count += 8; count >= 5; count -= 5) text.push_back(kAlphabet[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(kAlphabet[bits << (5 - count) & 31]);
  while (text.size() % 8 != 0) text.push_back('=');
  return text;
}

json Typed(const char* type, json value) { return {{"__type", type}, {"value", std::move(value)}}; }

struct BareToJson {
  json operator()(const Token& value) const { return Typed("token", value.text); }
  json operator()(const ByteSequence& value) const { return Typed("binary", Base32(value.bytes)); }
  json operator()(const Date& value) const { return Typed("date", value.unix_seconds); }
  json operator()(const DisplayString& value) const { return Typed("displaystring", value.utf8); }
  json operator()(const auto& value) const { return value; }
};

json ToJson(const Parameters& parameters) {
  json all = json::array();
  for (const auto& [key, value] : parameters) all.push_back({key, std::visit(BareToJson(), value)});
  return all;
}

json ToJson(const Item& item) {
  return json::array({std::visit(BareToJson(), item.value), ToJson(item.parameters)});
}

json ToJson(const Member& member) {
  if (const auto* item = std::get_if<Item>(&member)) return ToJson(*item);
  const auto& list = std::get<InnerList>(member);
  json items = json::array();
  for (const Item& item : list.items) items.push_back(ToJson(item));
  return json::array({std::move(items), ToJson(list.parameters)});
}

// Null if the text does not parse.
json ParseAs(const std::string& type, const std::string& text) {
  if (type == "item") {
    const auto item = ParseItem(text);
    return item ? ToJson(*item) : json();
  }
  json all = json::array();
  if (type == "list") {
    const auto list = ParseList(text);
    if (!list) return json();
    for (const Member& member : *list) all.push_back(ToJson(member));
    return all;
  }
  const auto dictionary = ParseDictionary(text);
  if (!dictionary) return json();
  for (const auto& [key, member] : *dictionary) all.push_back(json::array({key, ToJson(member)}));
  return all;
}

void CheckRecord(const json& record) {
  std::string text;
  for (const auto& line : record.at("raw")) text += (text.empty() ? "" : ", ") + line.get<std::string>();
  const json parsed = ParseAs(record.at("header_type"), text);
  const std::string& name = record.at("name");
  if (record.value("must_fail", false)) {
    EXPECT_TRUE(parsed.is_null()) << name;
  } else if (!record.value("can_fail", false) || !parsed.is_null()) {
    EXPECT_EQ(parsed, record.at("expected")) << name;
  }
}

TEST(StructuredFieldVectorsTest, EveryParsingCaseIsReadRight) {
  const char* folder = std::getenv("APIQUOTA_SF_TESTS");
  if (folder == nullptr)
    GTEST_SKIP() << "APIQUOTA_SF_TESTS does not name a copy of httpwg/structured-field-tests";
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().filename().string());
    for (const json& record : json::parse(std::ifstream(entry.path()))) {
      CheckRecord(record);
      ++cases;
    }
  }
  EXPECT_GT(cases, 0u) << "no vectors in " << folder;
  RecordProperty("cases", static_cast<int>(cases));
}

}  // namespace
}  // namespace apiquota::provider::sf
