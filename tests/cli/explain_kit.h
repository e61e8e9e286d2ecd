// Runs `explain` on a text, for tests. Header only.
#pragma once

#include <ostream>
#include <sstream>
#include <string>

#include "cli/explain.h"
#include "tests/base/fake_clock.h"

namespace apiquota::cli {

inline const FakeClock kExplainClock(
    SystemTime(std::chrono::seconds(1'718'236'800)));  // 2024-06-13T00:00:00Z

struct Outcome {
  int code;
  std::string out;
  std::string err;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << outcome.code << "\n" << outcome.out << "\n" << outcome.err;
}

inline Outcome Explained(const std::string& input, const ExplainOptions& options = {}) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = RunExplain(options, kExplainClock, in, out, err);
  return {code, out.str(), err.str()};
}

}  // namespace apiquota::cli
