// Which responses' bodies are worth reading, and for what: compiled from the rules when a file is loaded, so
// that a response nobody asks anything of costs a look at this list.
#include <utility>

#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

class Collector {
 public:
  explicit Collector(Exporter* exporter) : exporter_(*exporter) {}

  bool Collect() {
    for (QuotaRule& rule : exporter_.quotas) AskForQuota(&rule);
    for (const ResourceRule& rule : exporter_.resources) {
      if (rule.from == ResourceRule::From::kResponseBody) Ask({}, false, Bit(rule.name));
    }
    for (const ThrottleRule& rule : exporter_.throttles) AskForThrottle(rule);
    AskForUsage();
    return complete_;
  }

 private:
  uint64_t Bit(const std::string& pointer) {
    const uint64_t bit = exporter_.body_pointers.Add(pointer);
    complete_ = complete_ && bit != 0;
    return bit;
  }

  void Ask(When when, bool stream, uint64_t pointers) {
    if (pointers == 0) return;
    for (BodyAsk& known : exporter_.body_asks) {
      const bool same = known.stream == stream && known.when.statuses == when.statuses &&
                        known.when.path == when.path && known.when.headers.empty() && when.headers.empty();
      if (same) return static_cast<void>(known.pointers |= pointers);
    }
    exporter_.body_asks.push_back({std::move(when), stream, pointers});
  }

  void AskForQuota(QuotaRule* rule) {
    uint64_t pointers = 0;
    for (const auto& sources : rule->sources) {
      for (const FieldSource& source : sources) {
        if (source.from != FieldSource::From::kBody) continue;
        pointers |= Bit(source.name);
        if (!source.named_by.empty()) pointers |= Bit(source.named_by);
      }
    }
    rule->reads_body = pointers != 0;
    if (!rule->resource_pointer.empty()) pointers |= Bit(rule->resource_pointer);
    exporter_.event_pointers |= rule->when.events ? pointers : 0;
    Ask(rule->when, rule->when.events, pointers);
  }

  uint64_t RetryAfterBits() {
    uint64_t pointers = 0;
    for (const FieldSource& source : exporter_.retry_after) {
      if (source.from == FieldSource::From::kBody) pointers |= Bit(source.name);
    }
    return pointers;
  }

  // A throttle's body may say how long to wait, whatever told that it is one.
  void AskForThrottle(const ThrottleRule& rule) {
    When when{rule.statuses, rule.path, {}};
    uint64_t pointers = RetryAfterBits();
    bool stream = false;
    for (const Condition& condition : rule.conditions) {
      if (condition.on == Condition::On::kHeader) {
        when.headers.push_back(condition);
      } else {
        pointers |= Bit(condition.name);
        stream = stream || condition.on == Condition::On::kStream;
      }
    }
    Ask(std::move(when), stream, pointers);
  }

  void AskForUsage() {
    uint64_t pointers = 0;
    for (const UsageRule& rule : exporter_.usage) {
      for (const std::string& pointer : rule.pointers) pointers |= Bit(pointer);
    }
    for (const bool stream : {false, true}) Ask({{200, 201}, {}, {}}, stream, pointers);
  }

  Exporter& exporter_;
  bool complete_ = true;
};

}  // namespace

bool CollectBodyAsks(Exporter* exporter) { return Collector(exporter).Collect(); }

}  // namespace apiquota::provider
