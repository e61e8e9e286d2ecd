// Answers that have nothing to do with limits: failures, and refusals without evidence while others are
// served. They come evenly, the first of a share s after 1/s calls, so that a test can count on them. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace apiquota::simulate {

// "20%" → 0.2; from above 0 to 100 %.
std::optional<double> ParseShare(std::string_view text);
inline constexpr std::string_view kShareExpected = "a share such as 20%";

class Faults {
 public:
  // Each of `failures` as STATUS:SHARE. Fails with one sentence.
  static Result<Faults> Create(const std::vector<std::string>& failures, double bare_429);

  // The status to answer this call with instead of asking the limits.
  std::optional<int> Next();

  uint64_t failed() const { return failed_; }
  uint64_t bare_429s() const { return bare_429s_; }

 private:
  struct Kind {
    int status;
    double share;
    bool failure;
    double due = 0;
  };

  std::vector<Kind> kinds_;
  uint64_t failed_ = 0, bare_429s_ = 0;
};

}  // namespace apiquota::simulate
