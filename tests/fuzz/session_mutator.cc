// How libFuzzer changes the scripts of the session fuzzers.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/session_fragments.h"

namespace apiquota::fuzz {
namespace {

char AnyLetter(size_t n) { return "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[n]; }

// A step as a script writes it, or two: . becomes a small number, ? a request's letter, ! an answer's.
std::string AnyStep(const auto& below) {
  constexpr std::string_view kSteps[] = {
      "c..", "s.?", "s.?",    "s.?", "m.?.", "m.g.", "M.?.", "p.?*", "r..", "a..", "h.", "k.", "K.", "u.!",
      "u.!", "u.!", "s.gu.!", "s.S", "s.S",  "s.T",  "m.S.", "e..",  "A.",  "f.",  "g.", "G.", "b!", "b!",
      "b!",  "ba",  "bC",     "u.C", "u.D",  "B!",   "n.",   "N",    "t.",  "T.",  "L.", "D",  "F.."};
  std::string out;
  for (const char c : kSteps[below(std::size(kSteps))]) {
    switch (c) {
      case '.':
        out += AnyLetter(below(4));
        break;
      case '*':
        out += AnyLetter(below(62));
        break;
      case '?':
        out += RequestLetter(below(SIZE_MAX));
        break;
      case '!':
        out += ReplyLetter(below(SIZE_MAX));
        break;
      default:
        out += c;
    }
  }
  const size_t wait = below(6);
  return wait == 0 ? out + '&' : wait == 1 ? out + '.' : out;
}

}  // namespace
}  // namespace apiquota::fuzz

// libFuzzer's own; absent where seeds are only replayed.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Bytes at random are hardly ever a step: mostly whole steps are put in, taken out and repeated.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  std::string script(reinterpret_cast<const char*>(data), size);
  const size_t at = below(script.size() + 1);
  switch (below(8)) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 1:
      script.erase(at, 1 + below(8));
      break;
    case 2:
      script.insert(below(script.size() + 1), script.substr(at, 1 + below(24)));
      break;
    case 3:
      if (at < script.size()) script[at] = apiquota::fuzz::AnyLetter(below(62));
      break;
    default:
      script.insert(at, apiquota::fuzz::AnyStep(below));
  }
  script.resize(std::min(script.size(), max_size));
  std::ranges::copy(script, data);
  return script.size();
}
