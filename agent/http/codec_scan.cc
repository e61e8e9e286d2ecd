#include "http/codec_scan.h"

#include <algorithm>

#include "base/find_byte.h"
#include "base/text.h"
#include "http/codec_facts.h"

namespace apiquota::http {
namespace {

constexpr Refusal kBareCr{400, "line_ending", "a CR that is not followed by LF"};
constexpr Refusal kBareLf{400, "line_ending", "an LF that does not follow CR"};
constexpr Refusal kControlByte{400, "control_byte", "a control byte in the head or the trailers"};
constexpr Refusal kObsFold{400, "obs_fold", "a line that starts with a space or tab"};

constexpr bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr auto kIsControl = [](auto byte) { return ((byte < 0x20) & (byte != '\t')) | (byte == 0x7f); };

}  // namespace

size_t FindControl(std::string_view text, size_t from) { return FindByte(text, from, kIsControl); }

ScanResult BlockScanner::Refuse(const Refusal& refusal) {
  refusal_ = refusal;
  return ScanResult::kRefused;
}

inline ScanResult BlockScanner::EndLine() {
  const bool blank = position_ == line_;
  if (lines_ == 0) first_line_size_ = position_ - line_;
  line_ends_.push_back(position_);
  position_ += 2;
  line_ = position_;
  if (blank) return ScanResult::kDone;
  ++lines_;
  const size_t fields = limits_.first_line_max > 0 ? lines_ - 1 : lines_;
  if (fields > limits_.fields_max) return Refuse(limits_.too_many);
  return ScanResult::kNeedMore;
}

// The line that begins here goes on with the one before it, if that is a field.
bool BlockScanner::TakeFold() {
  if (!limits_.folds || lines_ < 2) return false;
  folded_ = true;
  line_ends_.pop_back();
  --lines_;
  ++position_;
  return true;
}

ScanResult BlockScanner::AtLimit(std::string_view block, size_t limit) {
  if (block.size() < limit) return ScanResult::kNeedMore;
  return Refuse(limit < limits_.bytes_max ? limits_.first_line_too_long : limits_.too_long);
}

// A first line is alone in its call, so what limits a call's lines is the same for all of them.
ScanResult BlockScanner::Scan(std::string_view block) {
  const bool in_first_line = lines_ == 0 && limits_.first_line_max > 0;
  const size_t limit =
      in_first_line ? std::min(limits_.first_line_max, limits_.bytes_max) : limits_.bytes_max;
  const std::string_view seen = block.substr(0, limit);
  for (;;) {
    if (position_ >= seen.size()) return AtLimit(block, limit);
    const bool fold = position_ == line_ && !in_first_line && (seen[line_] == ' ' || seen[line_] == '\t');
    if (fold && !TakeFold()) return Refuse(kObsFold);
    position_ = FindByte(seen, position_, kIsControl);
    if (position_ == seen.size()) return AtLimit(block, limit);
    if (seen[position_] == '\n') return Refuse(kBareLf);
    if (seen[position_] != '\r') return Refuse(kControlByte);
    if (position_ + 1 == seen.size()) return AtLimit(block, limit);
    if (seen[position_ + 1] != '\n') return Refuse(kBareCr);
    const ScanResult result = EndLine();
    if (result != ScanResult::kNeedMore) return result;
    if (in_first_line) return ScanResult::kFirstLine;
  }
}

BlockScanner::Limits RequestHeadLimits(const CodecLimits& limits) {
  constexpr size_t kAroundTarget = kMethodBytesMax + sizeof "  HTTP/1.1\r\n" - 1;
  BlockScanner::Limits head = ResponseHeadLimits(limits);
  head.folds = false;
  head.first_line_max = limits.target_bytes_max + kAroundTarget;
  head.first_line_too_long = {414, "target", "the request target is too long"};
  return head;
}

BlockScanner::Limits ResponseHeadLimits(const CodecLimits& limits) {
  return {.bytes_max = limits.head_bytes_max,
          .too_long = {431, "head_size", "the head is too long"},
          .first_line_max = limits.head_bytes_max,
          .first_line_too_long = {},
          .fields_max = limits.fields_max,
          .too_many = {431, "field_count", "too many fields"},
          .folds = true};
}

BlockScanner::Limits TrailerLimits(const CodecLimits& limits) {
  return {.bytes_max = limits.trailer_bytes_max,
          .too_long = {431, "trailer", "the trailers are too long"},
          .first_line_max = 0,
          .first_line_too_long = {},
          .fields_max = limits.fields_max,
          .too_many = {431, "trailer", "too many trailer fields"}};
}

ScanResult ChunkLineScanner::Refuse(std::string_view detail) {
  refusal_ = {400, "chunk", detail};
  return ScanResult::kRefused;
}

ScanResult ChunkLineScanner::EndLine(std::string_view line) {
  size_t digits = 0;
  bool zero = true;
  for (; digits < line.size() && IsHexDigit(line[digits]); ++digits) zero = zero && line[digits] == '0';
  if (digits == 0) return Refuse("a chunk without a size");
  const bool size_ends =
      digits == line.size() || std::string_view("; \t").find(line[digits]) != std::string_view::npos;
  if (!size_ends) return Refuse("a chunk size that is not hexadecimal");
  if (digits > 15) return Refuse("a chunk size of more than 15 digits");
  last_ = zero;
  for (blanks_ = 0; line.ends_with(' ') || line.ends_with('\t'); ++blanks_) line.remove_suffix(1);
  position_ += 2;
  return ScanResult::kDone;
}

ScanResult ChunkLineScanner::Scan(std::string_view text) {
  while (position_ < lead_) {
    if (position_ == text.size()) return ScanResult::kNeedMore;
    if (text[position_] != "\r\n"[position_]) return Refuse("more data than the chunk's size");
    ++position_;
  }
  const size_t limit = lead_ + line_bytes_max_;
  const std::string_view seen = text.substr(0, limit + 2);
  position_ = FindControl(seen, position_);
  if (position_ > limit) return Refuse("a chunk-size line beyond the limit");
  if (position_ == seen.size()) return ScanResult::kNeedMore;
  if (seen[position_] != '\r') return Refuse("a control byte in a chunk-size line");
  if (position_ + 1 == seen.size()) return ScanResult::kNeedMore;
  if (seen[position_ + 1] != '\n') return Refuse("a bare CR in a chunk-size line");
  return EndLine(seen.substr(lead_, position_ - lead_));
}

std::optional<Refusal> JudgeRequestLine(std::string_view line, size_t target_bytes_max) {
  const auto malformed = [] { return Refusal{400, "request_line", "not METHOD SP target SP HTTP/1.1"}; };
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return malformed();
  const std::string_view method = line.substr(0, method_end);
  if (!IsToken(method)) return Refusal{400, "method", "the method is not a token"};
  if (method.size() > kMethodBytesMax) return Refusal{501, "method", "the method is too long"};
  if (method == "CONNECT") return Refusal{501, "method", "CONNECT: nothing here opens tunnels"};
  // RFC 9110 9.3.8: the answer repeats the request as it arrived, an injected key with it.
  if (method == "TRACE") return Refusal{501, "method", "TRACE: its answer would show what is added here"};
  const std::string_view rest = line.substr(method_end + 1);
  const size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos || target_end == 0) return malformed();
  if (target_end > target_bytes_max) return Refusal{414, "target", "the request target is too long"};
  if (rest.substr(0, target_end).find('\t') != std::string_view::npos) return malformed();
  const std::string_view version = rest.substr(target_end + 1);
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
                           version[6] == '.' && digit(version[7]);
  if (!well_formed) return malformed();
  return Refusal{505, "version", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
}

std::expected<StatusLine, Refusal> ReadStatusLine(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr size_t kWithoutReason = sizeof "HTTP/1.1 200" - 1;
  const bool versioned = line.size() >= kWithoutReason && line.starts_with(kVersion) &&
                         (line[7] == '1' || line[7] == '0') && line[8] == ' ';
  if (!versioned) return std::unexpected(Refusal{502, "status_line", "not HTTP/1.1 SP status SP reason"});
  const auto digit = [line](size_t i) { return static_cast<unsigned>(line[i] - '0'); };
  const bool number = digit(9) >= 1 && digit(9) <= 9 && digit(10) <= 9 && digit(11) <= 9;
  const bool ends = line.size() == kWithoutReason || line[kWithoutReason] == ' ';
  if (!number || !ends) {
    return std::unexpected(Refusal{502, "status_line", "a status that is not three digits from 100 on"});
  }
  return StatusLine{.status = static_cast<int>(digit(9) * 100 + digit(10) * 10 + digit(11)),
                    .minor_version = line[7] - '0',
                    .reason = line.substr(std::min(line.size(), kWithoutReason + 1))};
}

std::expected<std::string, Refusal> Unfold(std::string_view head, std::span<const size_t> line_ends) {
  std::string unfolded(head);
  size_t begin = 0;
  for (const size_t end : line_ends) {
    const std::string_view line = head.substr(begin, end - begin);
    for (size_t at = line.find('\r'); at < line.size(); at = line.find('\r', at)) {
      if (DecidesFraming(line.substr(0, TokenLength(line)))) {
        return std::unexpected(Refusal{502, "obs_fold", "Content-Length or Transfer-Encoding on two lines"});
      }
      const size_t text = std::min(line.find_first_not_of(" \t", at + 2), line.size());
      std::fill(unfolded.begin() + static_cast<ptrdiff_t>(begin + at),
                unfolded.begin() + static_cast<ptrdiff_t>(begin + text), ' ');
      at = text;
    }
    begin = end + 2;
  }
  return unfolded;
}

}  // namespace apiquota::http
