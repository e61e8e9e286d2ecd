// 2,000 server-sent-event streams and the clock beside them: a server whose every chunk says when it was
// sent, and a client that holds many of its streams through a proxy and measures how late chunks come.
// Both are one epoll loop of one thread, so that what is measured is the proxy between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace apiquota::bench {

struct StreamPlan {
  uint16_t port = 0;
  std::string path = "/";
  int streams = 2000;
  int chunks = 25;  // of each stream
  int chunk_bytes = 100;
  int interval_ms = 200;  // between a stream's chunks
  int ramp_ms = 2000;     // over which the streams begin
};

// Listens on a free loopback port, says it on stdout, and serves streams until it is terminated.
int ServeStreams(const StreamPlan& plan);

// Opens the streams, waits for all chunks and prints one line of JSON: how many came, and how late.
int LoadStreams(const StreamPlan& plan);

// Nanoseconds on a clock that both programs share.
int64_t NowNanos();

}  // namespace apiquota::bench
