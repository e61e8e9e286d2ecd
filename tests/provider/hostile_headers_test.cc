// Whatever stands in a header that an exporter knows: a mistake is told, and never becomes a number.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "provider/catalogue.h"
#include "provider/exporter_rules.h"
#include "tests/provider/signal_lines.h"

namespace apiquota::provider {
namespace {

std::set<std::string> QuotaHeaders(const Exporter& exporter) {
  std::set<std::string> names;
  for (const QuotaRule& rule : exporter.quotas) {
    for (const auto& sources : rule.sources) {
      for (const FieldSource& source : sources) {
        if (source.from != FieldSource::From::kHeader) continue;
        std::string name = source.name;
        if (const size_t star = name.find('*'); star != std::string::npos) name.replace(star, 1, "thing");
        names.insert(name);
      }
    }
  }
  return names;
}

// Numbers that no rule's constant or identity gave.
bool SaysANumber(const Reading& reading) {
  const auto derived = [&](SignalField field) { return reading.derived.Has(field); };
  return (reading.limit && !derived(SignalField::kLimit)) ||
         (reading.remaining && !derived(SignalField::kRemaining)) ||
         (reading.used && !derived(SignalField::kUsed)) || reading.reset_at.has_value();
}

TEST(HostileHeadersTest, NoExporterTakesThemForNumbers) {
  const auto catalogue = Catalogue::Embedded();
  ASSERT_TRUE(catalogue.has_value()) << catalogue.error().message;
  const std::string values[] = {
      std::string(1 << 20, '9'), "1" + std::string(400, '0'), "1e400", "-1",      "NaN",
      std::string("5\0", 2),     std::string("\0\0\0", 3),    "",      "\xff\xfe"};
  for (const ExporterPtr& exporter : catalogue->All()) {
    for (const std::string& header : QuotaHeaders(*exporter)) {
      for (const std::string& value : values) {
        const Signals signals = ExtractSignals(*exporter, Answer(200, {{header, value}}));
        const std::string where = Info(*exporter).name + " " + header + ": " + value.substr(0, 20);
        EXPECT_TRUE(std::ranges::none_of(signals.readings, SaysANumber)) << where;
        EXPECT_FALSE(signals.unread.empty()) << where;
      }
    }
  }
}

}  // namespace
}  // namespace apiquota::provider
