// Finds the end of an object or array in which nobody wants anything, sixteen bytes at a time: only brackets
// matter, and the texts that may hold some. What is in it is not judged. For json_reader.h. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/find_byte.h"

namespace apiquota::provider {
namespace json {

class StepOver {
 public:
  enum class Step : uint8_t { kMore, kEnd, kTooDeep };

  // Behind the opening bracket; at most `levels` more may be open at once.
  void Start(size_t levels) {
    at_ = At::kBetween;
    depth_ = 0;
    levels_ = levels;
  }

  // Takes what belongs to the container off the front of `bytes`.
  Step Take(std::string_view* bytes) {
    Step step = Step::kMore;
    while (step == Step::kMore && !bytes->empty()) {
      const size_t stop = Next(*bytes);
      if (stop == bytes->size()) {
        *bytes = {};
        break;
      }
      step = Pass((*bytes)[stop]);
      bytes->remove_prefix(stop + 1);
    }
    return step;
  }

 private:
  enum class At : uint8_t { kBetween, kText, kEscape };

  size_t Next(std::string_view bytes) const {
    switch (at_) {
      case At::kBetween:  // '[' and ']' are 0x20 below their fellows, and alone in that
        return FindByte(bytes, 0, [](auto byte) {
          return ((byte | 0x20) == '{') | ((byte | 0x20) == '}') | (byte == '"');
        });
      case At::kText:
        return FindByte(bytes, 0, [](auto byte) { return (byte == '"') | (byte == '\\'); });
      case At::kEscape:
        break;
    }
    return 0;
  }

  Step Pass(char c) {
    if (at_ == At::kEscape || (at_ == At::kBetween && c == '"')) {
      at_ = At::kText;
    } else if (at_ == At::kText) {
      at_ = c == '"' ? At::kBetween : At::kEscape;
    } else if (c == '{' || c == '[') {
      if (depth_++ == levels_) return Step::kTooDeep;
    } else if (depth_-- == 0) {
      return Step::kEnd;
    }
    return Step::kMore;
  }

  At at_ = At::kBetween;
  size_t depth_ = 0;  // brackets open within it
  size_t levels_ = 0;
};

}  // namespace json
}  // namespace apiquota::provider
