// The second half of codec_reader.h, which includes it: what each phase of a message takes of the input, from
// the head over data, chunk lines and chunks to the trailers.
#pragma once

#include <charconv>

#include "http/codec_reader.h"

namespace apiquota::http {

template <bool kRequest>
size_t MessageReader<kRequest>::Step(std::string_view rest) {
  switch (phase_) {
    case Phase::kHead:
      return StepHead(rest);
    case Phase::kData:
    case Phase::kChunkData:
      return StepData(rest);
    case Phase::kChunkLine:
      return StepChunkLine(rest);
    case Phase::kTrailers:
      return StepTrailers(rest);
    case Phase::kDone:
    case Phase::kRefused:
      break;
  }
  return 0;
}

template <bool kRequest>
size_t MessageReader<kRequest>::StepHead(std::string_view rest) {
  if (kRequest && !empty_line_skipped_ && head_scan_.size() == 0 && rest.starts_with('\r')) {
    if (rest.size() == 1) return 0;
    if (rest[1] == '\n') {
      empty_line_skipped_ = true;
      return 2;
    }
  }
  ScanResult result = head_scan_.Scan(rest);
  if (result == ScanResult::kFirstLine) {
    if (const auto refusal = JudgeFirstLine(rest.substr(0, head_scan_.first_line_size())))
      return Refuse(*refusal);
    result = head_scan_.Scan(rest);
  }
  if (result == ScanResult::kRefused) return Refuse(head_scan_.refusal());
  if (result == ScanResult::kNeedMore) return 0;
  if (head_scan_.first_line_size() == 0) return Refuse(HeadRefusal({}, kRequest));
  return TakeHead(rest.substr(0, head_scan_.size()));
}

// REQUIRES: `head` has passed the scanner, so every line ends in CRLF and the last one is empty.
template <bool kRequest>
size_t MessageReader<kRequest>::TakeHead(std::string_view head) {
  const size_t size = head.size();
  std::string unfolded;
  if (head_scan_.folded()) {
    auto result = Unfold(head, head_scan_.line_ends());
    if (!result) return Refuse(result.error());
    head = unfolded = std::move(*result);
  }
  TakeFirstLine(head.substr(0, head_scan_.first_line_size()));
  const size_t lines = head_scan_.first_line_size() + 2;
  Fields& known = fields();
  const size_t kept = known.AddLines(head.substr(lines));
  size_t at = lines;
  for (const size_t end : head_scan_.line_ends()) {
    if (end <= at) continue;  // the first line, and the empty one at the end
    if (const auto refusal = OnField(head.substr(at, end - at), kept + at - lines, known))
      return Refuse(*refusal);
    at = end + 2;
  }
  AppendFraming();
  Put(scratch_);
  if (phase_ == Phase::kRefused) return 0;
  head_done_ = true;
  phase_ = tap_.is_done() ? Phase::kDone : Phase::kData;
  if (phase_ == Phase::kData && tap_.chunked()) ExpectChunkLine(false);
  return size;
}

template <bool kRequest>
std::optional<Refusal> MessageReader<kRequest>::JudgeFirstLine(std::string_view line) {
  if (kRequest) return JudgeRequestLine(line, limits_.target_bytes_max);
  const auto status = ReadStatusLine(line);
  if (!status) return status.error();
  OnStartLine(status->status, status->reason, {}, status->minor_version);
  return std::nullopt;
}

// REQUIRES: it has been judged. A response's is shown to basic_parser without its reason.
template <bool kRequest>
void MessageReader<kRequest>::TakeFirstLine(std::string_view line) {
  constexpr size_t kWithoutReason = sizeof "HTTP/1.1 200" - 1;
  scratch_.assign(kRequest ? line : line.substr(0, kWithoutReason)).append(kRequest ? "\r\n" : " \r\n");
}

template <bool kRequest>
void MessageReader<kRequest>::AppendFraming() {
  if (facts_.content_length) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, *facts_.content_length);
    scratch_.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  if (facts_.chunked) scratch_.append("Transfer-Encoding: chunked\r\n");
  scratch_.append("\r\n");
}

template <bool kRequest>
size_t MessageReader<kRequest>::StepData(std::string_view rest) {
  if (rest.empty()) return 0;
  const size_t used = Put(rest);
  if (phase_ != Phase::kRefused && tap_.is_done()) phase_ = Phase::kDone;
  return used;
}

template <bool kRequest>
size_t MessageReader<kRequest>::StepChunkLine(std::string_view rest) {
  const ScanResult result = line_scan_.Scan(rest);
  if (result == ScanResult::kRefused) return Refuse(line_scan_.refusal());
  if (result == ScanResult::kNeedMore) return 0;
  if (line_scan_.last()) {
    // basic_parser takes the last chunk and the trailers in one piece: nothing is consumed yet.
    trailer_scan_.Reset();
    phase_ = Phase::kTrailers;
    return 0;
  }
  phase_ = Phase::kChunkData;
  if (!kRequest && line_scan_.blanks() > 0) {
    TidyChunkLine(rest);
    return Put(scratch_) == 0 ? 0 : line_scan_.size();
  }
  return Put(rest.substr(0, line_scan_.size()));
}

template <bool kRequest>
void MessageReader<kRequest>::TidyChunkLine(std::string_view rest) {
  scratch_.assign(rest.substr(0, line_scan_.size() - line_scan_.blanks() - 2)).append("\r\n");
}

template <bool kRequest>
size_t MessageReader<kRequest>::StepTrailers(std::string_view rest) {
  const ScanResult result = trailer_scan_.Scan(rest.substr(line_scan_.size()));
  if (result == ScanResult::kRefused) return Refuse(trailer_scan_.refusal());
  if (result == ScanResult::kNeedMore) return 0;
  const size_t size = line_scan_.size() + trailer_scan_.size();
  if (!kRequest && line_scan_.blanks() > 0) {
    TidyChunkLine(rest);
    Put(scratch_.append(rest.substr(line_scan_.size(), trailer_scan_.size())));
  } else {
    Put(rest.substr(0, size));
  }
  if (phase_ == Phase::kRefused) return 0;
  phase_ = Phase::kDone;
  return size;
}

template <bool kRequest>
size_t MessageReader<kRequest>::Put(std::string_view bytes) {
  ErrorCode ec;
  const size_t used = tap_.put({bytes.data(), bytes.size()}, ec);
  if (!ec) return used;
  return Refuse(refusal_ ? *refusal_ : RefusalOf(ec));
}

template <bool kRequest>
Refusal MessageReader<kRequest>::RefusalOf(const ErrorCode& ec) const {
  if (phase_ == Phase::kTrailers) return {400, "trailer", "a malformed last chunk or trailer"};
  if (phase_ != Phase::kHead) return {400, "chunk", "a malformed chunk-size line"};
  return HeadRefusal(ec, kRequest);
}

}  // namespace apiquota::http
