// Byte-level judgement of what surrounds bodies, before any of it reaches basic_parser: where lines
// and blocks end, and that every line ends in CRLF and holds no control byte. A line that continues the one
// before it (obs-fold) is refused, but in the head of a response it belongs to that one (RFC 9112 2.2, 5.2).
//
// A scanner is shown the same bytes again with more behind them and goes on where it stopped, so
// that feeding byte by byte costs no more than feeding all at once, and judges the same. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
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
    bool folds = false;  // a line may continue the field before it
  };

  explicit BlockScanner(const Limits& limits) : limits_(limits) {}
  void Reset() {
    position_ = line_ = lines_ = first_line_size_ = 0;
    folded_ = false;
    line_ends_.clear();
    if (line_ends_.capacity() > kLinesKept) line_ends_.shrink_to_fit();
  }

  // kFirstLine is said once, so that the first line can be judged before the rest is there: scan
  // again after it.
  ScanResult Scan(std::string_view block);

  size_t size() const { return position_; }  // bytes passed so far; once kDone, the whole block
  size_t first_line_size() const { return first_line_size_; }  // without CRLF; known from kFirstLine on
  // Where each line so far ends, as the index of its CR; the first line's too. One that is continued ends
  // where its last continuation does.
  std::span<const size_t> line_ends() const { return line_ends_; }
  size_t kept_bytes() const { return line_ends_.capacity() * sizeof(size_t); }
  bool folded() const { return folded_; }  // there is such a line
  const Refusal& refusal() const { return refusal_; }

 private:
  static constexpr size_t kLinesKept = 512;  // of memory, between messages

  ScanResult Refuse(const Refusal& refusal);
  ScanResult EndLine();
  bool TakeFold();
  ScanResult AtLimit(std::string_view block, size_t limit);

  Limits limits_;
  size_t position_ = 0;  // bytes judged
  size_t line_ = 0;      // where the current line starts
  size_t lines_ = 0;     // lines ended
  size_t first_line_size_ = 0;
  bool folded_ = false;
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
  // Blanks between the size, or its extensions, and the CRLF: no grammar has them, some servers do.
  size_t blanks() const { return blanks_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  ScanResult Refuse(std::string_view detail);
  ScanResult EndLine(std::string_view line);

  size_t line_bytes_max_;
  size_t lead_ = 0;
  size_t position_ = 0;
  bool last_ = false;
  size_t blanks_ = 0;
  Refusal refusal_;
};

// The first control byte other than HTAB, or DEL, at or after `from`; the size if there is none.
size_t FindControl(std::string_view text, size_t from);

// "METHOD SP target SP HTTP/1.x", without CRLF.
std::optional<Refusal> JudgeRequestLine(std::string_view line, size_t target_bytes_max);
inline constexpr size_t kMethodBytesMax = 32;

// "HTTP/1.x SP 3DIGIT [SP reason]", without CRLF: any status from 100 on, as servers use numbers of their
// own.
struct StatusLine {
  int status = 0;
  int minor_version = 1;
  std::string_view reason;  // perhaps nothing
};
std::expected<StatusLine, Refusal> ReadStatusLine(std::string_view line);

// `head` with each of its folds as spaces (RFC 9112 5.2), every byte that is none where it was. Refused where
// the field says how the body is framed: readers differ on what such a field says.
std::expected<std::string, Refusal> Unfold(std::string_view head, std::span<const size_t> line_ends);

}  // namespace apiquota::http
