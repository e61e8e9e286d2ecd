// Finds the data of events in a stream that passes: text/event-stream (WHATWG HTML 9.2.6), one JSON text
// per line, or Amazon's frames. Nothing is kept: data is handed on in the pieces it comes in. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "provider/amazon_frames.h"
#include "provider/event_stream_handler.h"

namespace apiquota::provider {

class EventStream {
 public:
  enum class Kind : uint8_t { kServerSentEvents, kLines, kAmazonFrames };
  explicit EventStream(Kind kind) : kind_(kind) { StartLine(); }

  void Write(std::string_view bytes, EventStreamHandler& handler);
  // Nothing more comes. What stands behind the last end of an event is one, too: some servers leave out the
  // blank line, or the last line's end.
  void End(EventStreamHandler& handler);
  bool Failed() const { return frames_.Broken(); }  // it is no such stream

 private:
  enum class State : uint8_t { kName, kSpace, kData, kOther };

  void StartLine();
  void EndLine(EventStreamHandler& handler);
  void OneByteOfName(char byte);
  void Data(std::string_view piece, EventStreamHandler& handler);

  Kind kind_;
  AmazonFrames frames_;
  State state_ = State::kName;
  size_t matched_ = 0;         // bytes of "data:" seen
  bool line_empty_ = true;     // nothing of the line has come
  bool data_due_ = false;      // the event has data
  bool new_line_due_ = false;  // … and another line of it may follow
  bool after_cr_ = false;
  bool at_start_ = true;  // a byte order mark may come
};

}  // namespace apiquota::provider
