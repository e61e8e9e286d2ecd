#include "net/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
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

struct Resolver::State {
  State(const Clock& clock_in, ResolverOptions options_in, Lookup lookup_in)
      : clock(clock_in), options(options_in), lookup(std::move(lookup_in)) {}

  struct Name {
    Addresses addresses;     // the last good answer
    SteadyTime answered_at;  // of `addresses`
    SteadyTime failed_at;
    bool failed = false;  // the last lookup found nothing
    bool asked = false;   // a lookup is queued or running
    std::vector<std::function<void(const Addresses&)>> waiting;
  };

  void Ask(const std::string& host, Name& name) {
    if (name.asked) return;
    name.asked = true;
    queue.push_back(host);
    wake.notify_one();
  }

  void Run();
  void Answer(const std::string& host, Addresses found);

  const Clock& clock;
  const ResolverOptions options;
  const Lookup lookup;
  std::mutex mutex;
  std::condition_variable wake;
  std::map<std::string, Name> names;  // guarded by mutex, like all below
  std::deque<std::string> queue;
  bool stopped = false;
};

void Resolver::State::Run() {
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [this] { return stopped || !queue.empty(); });
    if (stopped) return;
    const std::string host = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    Addresses found = lookup(host);
    lock.lock();
    if (stopped) return;
    Answer(host, std::move(found));
  }
}

// Callbacks run under the lock, so that none runs after the Resolver is gone; they only post to a
// loop.
void Resolver::State::Answer(const std::string& host, Addresses found) {
  Name& name = names[host];
  const SteadyTime now = clock.SteadyNow();
  name.asked = false;
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
  for (int i = 0; i < options.threads; ++i) std::thread([state = state_] { state->Run(); }).detach();
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
