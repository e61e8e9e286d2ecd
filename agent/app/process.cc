#include "app/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

namespace apiquota::app {
namespace {

constexpr rlim_t kDescriptorsMin = 64;  // the agent's own, the reserve, and a few connections

}  // namespace

void HardenProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGPIPE, SIG_IGN);
}

void KeepStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest free number is handed out: this one, as those below it are taken.
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

Status RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= kDescriptorsMin) return {};
  return Fail("the limit of open files is " + std::to_string(limit.rlim_max) + "; expected at least " +
              std::to_string(kDescriptorsMin) + " (ulimit -n, LimitNOFILE)");
}

void KeepHeapsSmall() {
  constexpr int kLargeBytes = 128 * 1024;  // what glibc begins with; that it is said keeps it so
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  mallopt(M_ARENA_MAX, 2 * static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

void ReturnFreeMemory() { malloc_trim(0); }

SignalQueue::SignalQueue() {
  sigemptyset(&signals_);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

std::optional<int> SignalQueue::Wait(Micros timeout) const {
  const Micros wait = std::max(timeout, Micros(0));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       static_cast<long>(std::chrono::nanoseconds(wait - seconds).count())};
  const int signal = sigtimedwait(&signals_, nullptr, &limit);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

void SignalQueue::ExitOnNext() const {
  struct sigaction at_once{};
  at_once.sa_handler = [](int signal) { _exit(128 + signal); };
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT}) {
    sigaction(signal, &at_once, nullptr);
    sigaddset(&ending, signal);
  }
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

}  // namespace apiquota::app
