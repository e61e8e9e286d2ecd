// Names to addresses, off the loops: getaddrinfo on threads of its own, answers cached. A fresh
// answer is used as it is; an older one is used while a new one is fetched, and for as long as
// fetching fails (an hour at most). Failures are remembered for a few seconds. Thread-safe.
//
// A name is looked up by one thread at a time, however many ask for it, and threads are started as names
// come, `threads_max` at most: a name whose servers do not answer holds one thread and keeps no other name
// waiting before that many hang. Refreshes have half of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/address.h"

namespace apiquota::net {

struct ResolverOptions {
  Micros fresh = std::chrono::seconds(30);
  Micros stale_max = std::chrono::hours(1);
  Micros negative = std::chrono::seconds(5);
  size_t names_max = 1000;
  size_t threads_max = 16;
};

using Addresses = std::vector<IpAddress>;  // in the order to try; empty: the name has none

class Resolver {
 public:
  // Blocks; called on the resolver's threads. SystemLookup knows localhost by itself (RFC 6761 6.3).
  using Lookup = std::function<Addresses(const std::string& host)>;
  static Addresses SystemLookup(const std::string& host);

  explicit Resolver(const Clock& clock, ResolverOptions options = {}, Lookup lookup = SystemLookup);
  ~Resolver() { Stop(); }

  // No one is called back once this has returned. A thread stuck in getaddrinfo is left to itself.
  void Stop();

  // What is known now, literals included; else nothing, and `done` is called once from another
  // thread.
  std::optional<Addresses> Resolve(const std::string& host, std::function<void(const Addresses&)> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace apiquota::net
