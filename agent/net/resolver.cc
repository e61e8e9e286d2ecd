#include "net/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/text.h"
#include "net/socket_address.h"

namespace apiquota::net {
namespace {

// RFC 6761 6.3: these names are loopback and never asked of DNS; a bare machine has no /etc/hosts to say so.
bool IsLocalhost(std::string_view host) {
  const std::string name = ToLower(host);
  return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

struct Resolver::State : std::enable_shared_from_this<Resolver::State> {
  State(const Clock& clock_in, ResolverOptions options_in, Lookup lookup_in)
      : clock(clock_in), options(options_in), lookup(std::move(lookup_in)) {}

  struct Name {
    Addresses addresses;     // the last good answer
    SteadyTime answered_at;  // of `addresses`
    SteadyTime failed_at;
    bool failed = false;      // the last lookup found nothing
    bool asked = false;       // a lookup is queued or running
    bool refreshing = false;  // … and it is one that nobody waits for
    std::vector<std::function<void(const Addresses&)>> waiting;
  };

  void Ask(const std::string& host, Name& name);
  void StartThreads();
  void Run();
  std::string* NextInQueue();
  void Answer(const std::string& host, Addresses found);

  const Clock& clock;
  const ResolverOptions options;
  const Lookup lookup;
  std::mutex mutex;
  std::condition_variable wake;
  std::map<std::string, Name> names;  // guarded by mutex, like all below
  std::deque<std::string> queue;      // of names that somebody waits for
  std::deque<std::string> refreshes;  // of names whose last answer is still used
  size_t refreshing = 0;              // threads that do one of the latter
  size_t running = 0;                 // threads
  size_t busy = 0;                    // … that are in a lookup
  bool stopped = false;
};

// A name that somebody waits for goes before those that are only refreshed, also if it was one of these.
void Resolver::State::Ask(const std::string& host, Name& name) {
  const bool wanted = !name.waiting.empty();
  if (name.asked && !(wanted && name.refreshing)) return;
  if (name.asked && std::erase(refreshes, host) == 0) return;  // its refresh is running
  name.asked = true;
  name.refreshing = !wanted;
  (wanted ? queue : refreshes).push_back(host);
  StartThreads();
  wake.notify_one();
}

// A thread that hangs in a lookup holds one name and nobody else: the next name gets a thread of its own.
void Resolver::State::StartThreads() {
  while (running < options.threads_max && running - busy < queue.size() + refreshes.size()) {
    try {
      std::thread([state = shared_from_this()] { state->Run(); }).detach();
    } catch (const std::system_error&) {
      return;  // those that run will come to it
    }
    ++running;
  }
}

// Refreshes leave half of the threads alone: names that stopped answering while their addresses are still
// known must not keep a new name waiting.
std::string* Resolver::State::NextInQueue() {
  if (!queue.empty()) return &queue.front();
  const bool may_refresh = refreshing < std::max<size_t>(options.threads_max / 2, 1);
  return may_refresh && !refreshes.empty() ? &refreshes.front() : nullptr;
}

void Resolver::State::Run() {
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [this] { return stopped || NextInQueue() != nullptr; });
    if (stopped) return;
    const bool refresh = queue.empty();
    const std::string host = std::move(*NextInQueue());
    (refresh ? refreshes : queue).pop_front();
    refreshing += refresh ? 1 : 0;
    ++busy;
    lock.unlock();
    Addresses found = lookup(host);
    lock.lock();
    --busy;
    refreshing -= refresh ? 1 : 0;
    if (stopped) return;
    Answer(host, std::move(found));
    if (refresh) wake.notify_one();  // the next one may begin
  }
}

// Callbacks run under the lock, so that none runs after the Resolver is gone; they only post to a
// loop.
void Resolver::State::Answer(const std::string& host, Addresses found) {
  Name& name = names[host];
  const SteadyTime now = clock.SteadyNow();
  name.asked = name.refreshing = false;
  name.failed = found.empty();
  if (name.failed) {
    name.failed_at = now;
    if (now - name.answered_at > options.stale_max) name.addresses.clear();
  } else {
    name.addresses = std::move(found);
    name.answered_at = now;
  }
  for (const auto& done : std::exchange(name.waiting, {})) done(name.addresses);
}

Resolver::Resolver(const Clock& clock, ResolverOptions options, Lookup lookup)
    : state_(std::make_shared<State>(clock, options, std::move(lookup))) {
  // The first one now: where not even one can be started, the agent says so at its start.
  std::thread([state = state_] { state->Run(); }).detach();
  state_->running = 1;
}

void Resolver::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  state_->wake.notify_all();
}

std::optional<Addresses> Resolver::Resolve(const std::string& host,
                                           std::function<void(const Addresses&)> done) {
  if (const auto literal = IpAddress::Parse(host)) return Addresses{*literal};
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (state.stopped) return Addresses{};
  if (state.names.size() >= state.options.names_max && !state.names.contains(host)) return Addresses{};
  State::Name& name = state.names[host];
  const SteadyTime now = state.clock.SteadyNow();
  const bool failed_lately = name.failed && now - name.failed_at < state.options.negative;
  const bool known = !name.addresses.empty() && now - name.answered_at < state.options.stale_max;
  if (known && (failed_lately || now - name.answered_at < state.options.fresh)) return name.addresses;
  if (!known && failed_lately) return Addresses{};
  if (!known) name.waiting.push_back(std::move(done));
  state.Ask(host, name);
  if (!known) return std::nullopt;
  return name.addresses;
}

Addresses Resolver::SystemLookup(const std::string& host) {
  if (IsLocalhost(host)) return {*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("::1")};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  Addresses out;
  if (getaddrinfo(host.c_str(), "0", &hints, &list) != 0) return out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    out.push_back(FromSocketAddress(entry->ai_addr).ip);
  }
  freeaddrinfo(list);
  return out;
}

}  // namespace apiquota::net
