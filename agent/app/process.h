// The process as the system sees it: what it may leak, what it keeps of its memory, and the signals it obeys.
#pragma once

#include <csignal>
#include <optional>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota::app {

// Every command may hold credentials: no core dumps, no other process of the user may read its memory or its
// environment. First thing in main. A client that leaves must not end it either (SIGPIPE).
void HardenProcess();

// Whoever started it may have closed standard input, output or error: then /dev/null takes their numbers, so
// that nothing opened later gets them and log lines with them. Before anything is opened.
void KeepStandardStreams();

// As many descriptors as the system allows: the soft limit, often 1,024, is meant for programs that use
// select(). Before anything is opened for traffic. An error: too few to serve with.
Status RaiseDescriptorLimit();

// Large buffers (a page of /metrics, the state file) go back to the system when they are done with. By
// default glibc takes the first that is freed for the beginning of many, and from then on keeps them in the
// heap of each thread that ever made one. And threads beyond two a core share their heaps: each of the admin
// side's, which take turns at the same pages, would keep what a page takes. Before there are threads.
void KeepHeapsSmall();

// What is free in the heaps goes back to the system, as far as it is whole pages: for those who have just
// let go of thousands of small values. Takes each heap's lock for about a millisecond.
void ReturnFreeMemory();

// SIGHUP, SIGTERM and SIGINT as a queue for one thread. Create it before any other thread: they inherit that
// these signals are blocked.
class SignalQueue {
 public:
  SignalQueue();

  // The next signal; nothing after `timeout`.
  std::optional<int> Wait(Micros timeout) const;

  // From now on SIGTERM or SIGINT ends the process at once, with the status shells give to signals. Call it
  // from the thread that called Wait.
  void ExitOnNext() const;

 private:
  sigset_t signals_{};
};

}  // namespace apiquota::app
