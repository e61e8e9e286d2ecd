#include "tests/fuzz/world.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

// Of AddressSanitizer, where it is linked. NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" size_t __attribute__((weak)) __sanitizer_get_current_allocated_bytes();

namespace apiquota::fuzz {
namespace {

constexpr int kTurnsMax = 2'000;                         // in which not a byte moves
constexpr Micros kToldWithin = std::chrono::seconds(3);  // a client has left: lingering takes two seconds
constexpr Micros kResetWithin = std::chrono::milliseconds(500);
constexpr size_t kSlack = 512 * 1024;
constexpr size_t kPerUpstream =
    5 * 1024;  // an idle connection: its read buffer of 2 KiB, its stream, its socket here
constexpr size_t kPlenty = 64 * 1024;  // of a socket's buffer

size_t AllocatedBytes() {
  return &__sanitizer_get_current_allocated_bytes != nullptr ? __sanitizer_get_current_allocated_bytes() : 0;
}

}  // namespace

SystemTime FakeClock::SystemNow() const {
  constexpr auto kStart = SystemTime(std::chrono::seconds(1'795'359'600));  // 2026-11-22 15:00
  return kStart + std::chrono::duration_cast<Micros>(SteadyNow().time_since_epoch());
}

World::World(uint16_t port, HeadRule rule, Deadlines deadlines)
    : port_(port), deadlines_(deadlines), clients_(kClients) {
  kernel_.Boot();
  kernel_.on_connected = [this, rule](FakePeerPtr peer) {
    upstreams_.push_back(std::make_unique<UpstreamSide>(std::move(peer), traffic_, rule));
  };
}

void World::Begun() { memory_at_start_ = AllocatedBytes(); }

void World::Ended() { Require(kernel_.CountOpen<File>() == 0, "no descriptor is left behind"); }

World::~World() { kernel_.PowerOff(); }

UpstreamSide* World::upstream(size_t index) {
  std::vector<UpstreamSide*> among;
  for (const auto& upstream : upstreams_) {
    if (index < kAll && upstream->busy()) among.push_back(upstream.get());
  }
  if (among.empty()) {
    for (const auto& upstream : upstreams_) among.push_back(upstream.get());
  }
  return among.empty() ? nullptr : among[among.size() - 1 - index % kAll % among.size()];
}

void World::Connect(size_t client, size_t buffer, bool loopback) {
  constexpr uint32_t kElsewhere = 0x0a010203;  // 10.1.2.3
  auto peer = kernel_.ConnectTo(port_, loopback ? INADDR_LOOPBACK : kElsewhere, buffer);
  if (clients_[client]) {
    clients_[client]->Close();
    left_.push_back(std::move(clients_[client]));
  }
  if (peer) clients_[client] = std::make_unique<ClientSide>(std::move(peer), ++connections_, traffic_);
}

// Clients and upstreams do by themselves what they have been told to.
void World::Act() {
  for (const auto& client : clients_) {
    if (client && client->reading && !client->peer().closed()) client->Read(SIZE_MAX);
  }
  for (size_t i = 0; i < upstreams_.size(); ++i) {
    UpstreamSide& upstream = *upstreams_[i];
    if (upstream.peer().closed() || !upstreams_read) continue;
    upstream.Read(SIZE_MAX);
    if (reply_to_head != 0 && upstream.heads_waiting() > 0) upstream.AnswerByItself(reply_to_head);
    if (reply_to_whole != 0 && upstream.whole_waiting() > 0) upstream.AnswerByItself(reply_to_whole);
  }
}

void World::Turn() {
  TurnLoops();
  Act();
}

void World::Settle() {
  uint64_t moved = kernel_.moved;
  for (int turns = 0;; ++turns) {
    if (std::exchange(moved, kernel_.moved) != kernel_.moved) turns = 0;
    Require(turns < kTurnsMax, "the loop comes to rest when nothing happens");
    if (!TurnLoops()) {
      Act();
      if (!TurnLoops()) break;
    }
    Act();
  }
  CheckMemory();
  CheckGone();
  for (const auto& client : clients_) {
    if (client) client->CheckAtRest();
  }
  for (const auto& upstream : upstreams_) {
    if (upstreams_read) upstream->CheckAtRest();
  }
  CheckAtRest();
}

void World::Pass(Micros time) {
  const SteadyTime until = kernel_.now() + time;
  while (true) {
    const auto next = kernel_.NextTimer();
    if (!next || *next > until) break;
    kernel_.AdvanceTo(*next);
    Settle();
  }
  kernel_.AdvanceTo(until);
  Settle();
}

size_t World::attached_clients() const {
  const auto attached = [](const auto& client) { return client && client->peer().attached(); };
  return static_cast<size_t>(std::ranges::count_if(clients_, attached) +
                             std::ranges::count_if(left_, attached));
}

void World::CheckMemory() const {
  const size_t now = AllocatedBytes();
  size_t allowed = memory_at_start_ + kSlack + HeldElse() + attached_clients() * HeldPerClient();
  for (const auto* list : {&clients_, &left_}) {
    for (const auto& client : *list) allowed += client ? client->held() : 0;
  }
  for (const auto& upstream : upstreams_) allowed += upstream->held() + kPerUpstream;
  allowed += kernel_.HeldBytes() + traffic_.held();
  Require(now <= allowed, "what a session may hold is bounded");
}

// Who has left is noticed, however little is read of it. (The end of one way of a tunnel waits for what was
// said before it to be read.)
void World::CheckGone() {
  for (const auto* list : {&clients_, &left_}) {
    for (const auto& client : *list) {
      if (!client || !client->peer().closed() || !client->peer().attached()) continue;
      const bool reset = client->peer().reset_told();
      if (!reset && !client->peer().fin_told()) continue;
      client->gone_at = std::min(client->gone_at, kernel_.now());
      const SteadyTime since = reset ? client->gone_at : std::max(client->gone_at, traffic_.tunnels_moved_at);
      Require(kernel_.now() - since <= (reset ? kResetWithin : kToldWithin),
              "a client that has left is noticed");
    }
  }
}

void World::Leave(bool abrupt) {
  for (const auto& client : clients_) {
    if (!client) continue;
    if (abrupt) client->Reset();
    client->Close();
  }
  kernel_.LetHangingThrough();
  const size_t listeners = listening() ? 1 : 0;
  const Micros all = deadlines_.together + connections_ * deadlines_.per_client;
  for (Micros passed{0}; passed < all; passed += std::chrono::seconds(1)) {
    if (kernel_.CountOpen<SocketFile>() == listeners) break;
    Pass(std::chrono::seconds(1));
  }
  Require(kernel_.CountOpen<SocketFile>() == listeners,
          "no connection outlives its client and all deadlines");
  if (listening()) RequireService();
  CheckAfterAll();
}

void World::RequireService() {
  const Micros may_take = ServiceMayTake();
  kernel_.connect_policy = ConnectPolicy::kAccept;
  kernel_.connect_buffer = kPlenty;
  kernel_.ForgetFailures();
  reply_to_head = 0;
  reply_to_whole = 'a';
  upstreams_read = true;
  Connect(0, kPlenty, true);
  Settle();
  for (unsigned request = 1; request <= 2; ++request) {
    Pass(std::chrono::seconds(1));
    client(0)->Send(RequestFor('g'), 1);
    Settle();
    if (may_take != Micros(0)) {
      Pass(may_take);
      Require(!client(0)->owed(), "a plain request is answered");
      break;
    }
    Require(client(0)->newest_mark() == request, "a plain request is relayed");
  }
  client(0)->Close();
  Pass(std::chrono::seconds(3));
}

}  // namespace apiquota::fuzz
