// One limit in virtual time, and answers that speak of it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "guard/limit.h"
#include "tests/guard/start.h"

namespace apiquota::guard {

class LimitTest : public testing::Test {
 protected:
  using Kind = provider::QuotaKind;

  void Make(Kind kind, std::string_view unit = "requests", std::string_view quota = "requests",
            const PaceOptions& pace = {}, bool assumed = false) {
    limit.emplace(pace, quota, unit, kind, assumed);
    reading = {};
    reading.quota = quota;
    reading.unit = unit;
    reading.kind = kind;
    reading.kind_assumed = assumed;
  }

  Id Take(double cost = 1) {
    limit->Take(++last, cost, now);
    limit->Sent(last, now);
    return last;
  }

  // The answer to a request sent `ago`, which says the test's reading with so much left.
  void Hear(Id ticket, double remaining, Micros ago = Micros(0), bool throttled = false) {
    reading.remaining = remaining;
    limit->Hear({.reading = reading,
                 .ticket = ticket,
                 .sent_at = now - ago,
                 .received_at = now,
                 .offset = offset,
                 .throttled = throttled},
                now);
  }
  void Answer(Id ticket, std::optional<double> remaining, Micros ago = Micros(0), double cost = 1) {
    if (remaining) Hear(ticket, *remaining, ago);
    limit->Answered(ticket, now);
    limit->Settle(ticket, cost, now);
  }
  // A request that takes no time, and its answer.
  void Call(std::optional<double> remaining, double cost = 1) {
    Answer(Take(cost), remaining, Micros(0), cost);
  }

  SystemTime Earliest(double cost = 1, double ahead = 0) const {
    return limit->EarliestFor(cost, ahead, now);
  }
  bool Goes(double cost = 1) const { return Earliest(cost) <= now; }

  SystemTime now = kStart;
  std::optional<Limit> limit;
  provider::Reading reading;
  std::optional<quota::ClockOffset> offset = quota::ClockOffset{};
  Id last = 0;
};

}  // namespace apiquota::guard
