// Finds the events in a stream of application/vnd.amazon.eventstream (the event stream encoding of Amazon's
// SDKs): frames of a prelude, headers and a payload of JSON. Each is handed on as {"name": payload}, by the
// name of its event or exception, as the services document them. Payloads pass through; a frame's headers are
// kept, up to kHeaderBytesMax. Checksums are not checked: who reads the stream does. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "provider/event_stream_handler.h"

namespace apiquota::provider {

class AmazonFrames {
 public:
  static constexpr size_t kHeaderBytesMax = 4096;  // of a frame; those with more are passed over

  void Write(std::string_view bytes, EventStreamHandler& handler);
  bool Broken() const { return state_ == State::kBroken; }  // these are no frames

 private:
  enum class State : uint8_t { kPrelude, kHeaders, kPayload, kChecksum, kBroken };

  std::string_view Take(std::string_view* bytes);  // of the part under way, what has come
  void ReadPrelude();
  void ReadHeaders(EventStreamHandler& handler);
  void Enter(State state, size_t bytes);

  State state_ = State::kPrelude;
  size_t left_ = kPreludeBytes;  // bytes of the part under way that are to come
  std::string kept_;             // of the prelude or the headers
  size_t payload_bytes_ = 0;
  bool told_ = false;  // the frame is an event that the handler knows of

  static constexpr size_t kPreludeBytes = 12;  // two lengths and their checksum
};

}  // namespace apiquota::provider
