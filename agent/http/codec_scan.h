// Byte-level judgement of what surrounds bodies, before any of it reaches basic_parser: where lines
// and blocks end, and that every line ends in CRLF, holds no control byte and is not a continuation
// of the one before (RFC 9112 2.2, 5.2).
//
// A scanner is shown the same bytes again with more behind them and goes on where it stopped, so
// that feeding byte by byte costs no more than feeding all at once, and judges the same. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "http/codec.h"

namespace apiquota::http {

enum class ScanResult : uint8_t { kNeedMore, kFirstLine, kDone, kRefused };

// Lines up to and including the empty one: a head (first line apart) or a trailer section.
class BlockScanner {
 public:
  struct Limits {
    size_t bytes_max;
    Refusal too_long;
    size_t first_line_max = 0;  // 0: the block is fields only
    Refusal first_line_too_long;
    size_t fields_max;
    Refusal too_many;
  };

  explicit BlockScanner(const Limits& limits) : limits_(limits) {}
  void Reset() {
    position_ = line_ = lines_ = first_line_size_ = 0;
    line_ends_.clear();
  }

  // kFirstLine is said once, so that the first line can be judged before the rest is there: scan
  // again after it.
  ScanResult Scan(std::string_view block);

  size_t size() const { return position_; }  // bytes passed so far; once kDone, the whole block
  size_t first_line_size() const { return first_line_size_; }  // without CRLF; known from kFirstLine on
  // Where each line so far ends, as the index of its CR; the first line's too.
  std::span<const size_t> line_ends() const { return line_ends_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  ScanResult Refuse(const Refusal& refusal);
  ScanResult EndLine();
  ScanResult AtLimit(std::string_view block, size_t limit);

  Limits limits_;
  size_t position_ = 0;  // bytes judged
  size_t line_ = 0;      // where the current line starts
  size_t lines_ = 0;     // lines ended
  size_t first_line_size_ = 0;
  std::vector<size_t> line_ends_;
  Refusal refusal_;
};

BlockScanner::Limits RequestHeadLimits(const CodecLimits& limits);
BlockScanner::Limits ResponseHeadLimits(const CodecLimits& limits);
BlockScanner::Limits TrailerLimits(const CodecLimits& limits);

// One chunk-size line (RFC 9112 7.1), after the CRLF that ends the chunk before it.
class ChunkLineScanner {
 public:
  explicit ChunkLineScanner(size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}
  void Reset(bool after_chunk) {
    lead_ = after_chunk ? 2 : 0;
    position_ = 0;
  }

  ScanResult Scan(std::string_view text);

  size_t size() const { return position_; }  // with both CRLFs, once kDone
  bool last() const { return last_; }        // the chunk of size 0
  const Refusal& refusal() const { return refusal_; }

 private:
  ScanResult Refuse(std::string_view detail);
  ScanResult EndLine(std::string_view line);

  size_t line_bytes_max_;
  size_t lead_ = 0;
  size_t position_ = 0;
  bool last_ = false;
  Refusal refusal_;
};

// The first control byte other than HTAB, or DEL, at or after `from`; the size if there is none.
size_t FindControl(std::string_view text, size_t from);

// "METHOD SP target SP HTTP/1.x", without CRLF.
std::optional<Refusal> JudgeRequestLine(std::string_view line, size_t target_bytes_max);
inline constexpr size_t kMethodBytesMax = 32;

}  // namespace apiquota::http
