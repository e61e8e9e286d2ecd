#include "provider/event_stream.h"

#include <algorithm>
#include <cstring>

namespace apiquota::provider {
namespace {

constexpr std::string_view kName = "data:";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Where the line's text ends, or the size.
size_t LineEnd(std::string_view text) {
  const void* lf = std::memchr(text.data(), '\n', text.size());
  const size_t end =
      lf == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(lf) - text.data());
  const void* cr = std::memchr(text.data(), '\r', end);
  return cr == nullptr ? end : static_cast<size_t>(static_cast<const char*>(cr) - text.data());
}

}  // namespace

void EventStream::StartLine() {
  state_ = kind_ == Kind::kLines ? State::kData : State::kName;
  matched_ = 0;
  line_empty_ = true;
}

void EventStream::EndLine(EventStreamHandler& handler) {
  const bool ends = kind_ == Kind::kLines || line_empty_;
  if (ends && data_due_) handler.OnEventEnd();
  if (ends) data_due_ = new_line_due_ = false;
  if (state_ == State::kData || state_ == State::kSpace) new_line_due_ = data_due_;
  StartLine();
}

void EventStream::Data(std::string_view piece, EventStreamHandler& handler) {
  if (piece.empty()) return;
  if (new_line_due_) handler.OnData("\n");
  new_line_due_ = false;
  data_due_ = true;
  handler.OnData(piece);
}

void EventStream::OneByteOfName(char byte) {
  if (at_start_ && matched_ < kByteOrderMark.size() && byte == kByteOrderMark[matched_]) {
    at_start_ = ++matched_ < kByteOrderMark.size();
    if (!at_start_) StartLine();
    return;
  }
  at_start_ = false;
  line_empty_ = false;
  if (byte != kName[matched_]) {
    state_ = State::kOther;
  } else if (++matched_ == kName.size()) {
    state_ = State::kSpace;
  }
}

void EventStream::Write(std::string_view bytes, EventStreamHandler& handler) {
  if (kind_ == Kind::kAmazonFrames) return frames_.Write(bytes, handler);
  while (!bytes.empty()) {
    const char first = bytes.front();
    if (first == '\n' || first == '\r') {
      bytes.remove_prefix(1);
      const bool second_half = first == '\n' && after_cr_;
      after_cr_ = first == '\r';
      if (!second_half) EndLine(handler);
      continue;
    }
    after_cr_ = false;
    if (state_ == State::kName) {
      OneByteOfName(first);
      bytes.remove_prefix(1);
      continue;
    }
    if (state_ == State::kSpace) {
      state_ = State::kData;
      if (first == ' ') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const size_t end = LineEnd(bytes);
    line_empty_ = false;
    if (state_ == State::kData) Data(bytes.substr(0, end), handler);
    bytes.remove_prefix(end);
  }
}

void EventStream::End(EventStreamHandler& handler) {
  if (data_due_) handler.OnEventEnd();
  data_due_ = new_line_due_ = false;
  StartLine();
}

}  // namespace apiquota::provider
