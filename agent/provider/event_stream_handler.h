// Who is told of the events of a stream, in the pieces they come in. One thread's.
#pragma once

#include <string_view>

namespace apiquota::provider {

class EventStreamHandler {
 public:
  virtual void OnData(std::string_view piece) = 0;  // of the event under way; lines are joined with LF
  virtual void OnEventEnd() = 0;                    // only after data

 protected:
  ~EventStreamHandler() = default;
};

}  // namespace apiquota::provider
