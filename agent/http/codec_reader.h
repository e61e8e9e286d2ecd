// One message read by basic_parser under our scanners: the part both directions share. Internal to
// codec_request.cc and codec_response.cc, the only files that include Boost (with codec_errors.h).
//
// basic_parser is only ever shown what the scanners have passed, and always whole: a whole head, a
// whole chunk-size line, a whole trailer section, any piece of data: every way of cutting the input
// is judged the same. Of a head it gets the start line and what the fields say about framing, once, in our
// words.
#pragma once

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <limits>
#include <string>

#include "base/text.h"
#include "http/codec.h"
#include "http/codec_errors.h"
#include "http/codec_facts.h"
#include "http/codec_scan.h"

namespace apiquota::http {

inline constexpr size_t kTextKept = 4 * 1024;  // of each text but the fields, between messages

template <bool kRequest>
class MessageReader {
 public:
  explicit MessageReader(const CodecLimits& limits)
      : limits_(limits),
        head_scan_(kRequest ? RequestHeadLimits(limits) : ResponseHeadLimits(limits)),
        trailer_scan_(TrailerLimits(limits)),
        line_scan_(limits.chunk_line_bytes_max),
        tap_(this) {}
  virtual ~MessageReader() = default;
  MessageReader(const MessageReader&) = delete;

  void Reset(bool skip_body);
  ParseStep Parse(std::string_view input, std::vector<std::string_view>* body);
  bool ParseEnd();
  size_t kept_bytes() const {
    return scratch_.capacity() + head_scan_.kept_bytes() + trailer_scan_.kept_bytes();
  }
  bool got_some() const { return phase_ != Phase::kHead || head_scan_.size() > 0; }

 protected:
  // `first` is the method or the reason, `second` the target.
  virtual std::optional<Refusal> OnStartLine(int status, std::string_view first, std::string_view second,
                                             int minor_version) = 0;
  virtual std::optional<Refusal> OnHead(const HeadFacts& facts) = 0;
  virtual Fields& fields() = 0;

 private:
  using ErrorCode = boost::beast::error_code;
  using Text = boost::beast::string_view;
  enum class Phase : uint8_t { kHead, kData, kChunkLine, kChunkData, kTrailers, kDone, kRefused };

  // Hands basic_parser's events to the reader; replaced by a fresh one for each message (it has no
  // reset).
  class Tap final : public boost::beast::http::basic_parser<kRequest> {
   public:
    explicit Tap(MessageReader* reader) : reader_(reader) {
      this->body_limit(boost::none);
      this->header_limit(std::numeric_limits<uint32_t>::max());
    }
    Tap& operator=(Tap&&) noexcept = default;

   private:
    void on_request_impl(boost::beast::http::verb, Text method, Text target, int version,
                         ErrorCode& ec) override {
      Check(reader_->OnStartLine(0, {method.data(), method.size()}, {target.data(), target.size()},
                                 version % 10),
            ec);
    }
    void on_response_impl(int, Text, int, ErrorCode&) override {}  // known already, as fields are
    // Fields of the head are known already; trailers are judged, then dropped (RFC 9110 6.5.1).
    void on_field_impl(boost::beast::http::field, Text, Text, ErrorCode&) override {}
    void on_header_impl(ErrorCode& ec) override { Check(reader_->OnHead(reader_->facts_), ec); }
    void on_body_init_impl(const boost::optional<uint64_t>&, ErrorCode&) override {}
    size_t on_body_impl(Text slice, ErrorCode&) override { return reader_->OnBody(slice); }
    void on_chunk_header_impl(uint64_t, Text, ErrorCode&) override {}
    size_t on_chunk_body_impl(uint64_t remain, Text slice, ErrorCode&) override {
      if (slice.size() == remain) reader_->ExpectChunkLine(true);
      return reader_->OnBody(slice);
    }
    void on_finish_impl(ErrorCode&) override {}

    void Check(const std::optional<Refusal>& refusal, ErrorCode& ec) {
      if (!refusal) return;
      reader_->refusal_ = refusal;
      ec = boost::beast::http::error::bad_value;
    }
    MessageReader* reader_;
  };

  // One line of a head, without its CRLF (RFC 9112 5); `at` is where it stands in `fields`.
  std::optional<Refusal> OnField(std::string_view line, size_t at, Fields& fields) {
    const std::string_view name = line.substr(0, TokenLength(line));
    size_t colon = name.size();
    // Blanks before it are refused in a request; in a response they go (RFC 9112 5.1).
    while (!kRequest && colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    if (name.empty() || colon == line.size() || line[colon] != ':') return kBadFieldName;
    const std::string_view value = Trim(line.substr(colon + 1));
    const size_t index = fields.size();
    fields.AddLine({.at = at,
                    .name_size = name.size(),
                    .value_at = at + static_cast<size_t>(value.data() - line.data()),
                    .value_size = value.size(),
                    .line_size = line.size() + 2});
    return facts_.Note(name, value, index);
  }
  size_t OnBody(Text slice) {
    body_->emplace_back(slice.data(), slice.size());
    return slice.size();
  }
  void ExpectChunkLine(bool after_chunk) {
    line_scan_.Reset(after_chunk);
    phase_ = Phase::kChunkLine;
  }

  // Each takes what follows the bytes consumed so far and returns how many of them are done with; 0
  // and no change of phase: more is needed.
  size_t StepHead(std::string_view rest);
  size_t TakeHead(std::string_view head);
  std::optional<Refusal> JudgeFirstLine(std::string_view line);
  void TakeFirstLine(std::string_view line);
  void AppendFraming();
  size_t StepData(std::string_view rest);
  size_t StepChunkLine(std::string_view rest);
  size_t StepTrailers(std::string_view rest);
  void TidyChunkLine(std::string_view rest);  // into the scratch
  size_t Step(std::string_view rest);

  size_t Put(std::string_view bytes);  // how many were taken; 0 and kRefused if they are malformed
  Refusal RefusalOf(const ErrorCode& ec) const;
  size_t Refuse(const Refusal& refusal) {
    refusal_ = refusal;
    phase_ = Phase::kRefused;
    return 0;
  }

  const CodecLimits limits_;
  BlockScanner head_scan_;
  BlockScanner trailer_scan_;
  ChunkLineScanner line_scan_;
  Tap tap_;
  HeadFacts facts_;
  std::string scratch_;  // what basic_parser sees of a head, or of a line that had to be tidied
  Phase phase_ = Phase::kHead;
  bool empty_line_skipped_ = false;
  bool head_done_ = false;
  std::optional<Refusal> refusal_;
  std::vector<std::string_view>* body_ = nullptr;  // of the Parse in progress
};

template <bool kRequest>
void MessageReader<kRequest>::Reset(bool skip_body) {
  head_scan_.Reset();
  tap_ = Tap(this);
  tap_.skip(skip_body);
  facts_ = {};
  facts_.of_response = !kRequest;
  scratch_.clear();
  if (scratch_.capacity() > kTextKept) scratch_.shrink_to_fit();
  phase_ = Phase::kHead;
  empty_line_skipped_ = head_done_ = false;
  refusal_.reset();
}

template <bool kRequest>
ParseStep MessageReader<kRequest>::Parse(std::string_view input, std::vector<std::string_view>* body) {
  ParseStep step;
  const bool head_was_due = !head_done_;
  body_ = body;
  while (phase_ != Phase::kDone && phase_ != Phase::kRefused) {
    const Phase before = phase_;
    const size_t used = Step(input.substr(step.consumed));
    step.consumed += used;
    if (used == 0 && phase_ == before) break;
  }
  body_ = nullptr;
  step.head_complete = head_was_due && head_done_;
  step.complete = phase_ == Phase::kDone;
  step.refusal = refusal_;
  if (!kRequest && step.refusal) step.refusal->status = 502;
  return step;
}

template <bool kRequest>
bool MessageReader<kRequest>::ParseEnd() {
  if (phase_ == Phase::kData && tap_.need_eof()) {
    ErrorCode ec;
    tap_.put_eof(ec);
    phase_ = Phase::kDone;
  }
  return phase_ == Phase::kDone;
}

}  // namespace apiquota::http

#include "http/codec_steps.h"
