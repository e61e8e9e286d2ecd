#include "net/admin_door.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/admin_fields.h"
#include "net/admin_session.h"
#include "net/descriptor_reserve.h"

namespace apiquota::net {
namespace {

constexpr size_t kWaitingMax = 256;
constexpr size_t kComputingMax = 2;

ServerLimits Limits(const AdminOptions& options, std::string_view own_fields) {
  return {.codec = {.head_bytes_max = 16 * 1024, .fields_max = 63, .target_bytes_max = 8 * 1024},
          .high_bytes = 64 * 1024,
          .low_bytes = 32 * 1024,
          .head_timeout = options.request_timeout,
          .idle_timeout = std::chrono::seconds(30),
          .stall_timeout = std::chrono::seconds(30),
          .rate_min = 16,
          .own_fields = own_fields};
}

// How many clients may be connected: a quarter of what this process may have open, 1,024 at most.
size_t ConnectionsMax() {
  rlimit now{};
  const bool known = getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur != RLIM_INFINITY;
  return known ? std::min<size_t>(1024, now.rlim_cur / 4) : 1024;
}

}  // namespace

AdminDoor::AdminDoor(const AdminOptions& options, ServerBehind behind, BasicAuth& auth, const Clock& clock)
    : options_(options),
      behind_(std::move(behind)),
      auth_(auth),
      hosts_(options.listen, options.hosts),
      fields_(AdminFields(options.web.headers)),
      limits_(Limits(options, fields_)),
      loop_(clock),
      tokens_(static_cast<double>(options.web.rate_limit.burst)) {}

Result<std::unique_ptr<AdminDoor>> AdminDoor::Open(const AdminOptions& options, ServerBehind behind,
                                                   BasicAuth& auth, const Clock& clock) {
  std::unique_ptr<AdminDoor> door(new AdminDoor(options, std::move(behind), auth, clock));
  if (options.web.tls) {
    auto tls = TlsServer::Create(*options.web.tls);
    if (!tls) return std::unexpected(tls.error());
    door->tls_ = std::move(*tls);
  }
  auto group = ListenGroup::Open(options.listen, door->tls_.get());
  if (!group) return std::unexpected(group.error());
  door->port_ = (*group)->port();
  auto listener = Listener::Open(
      door->loop_, std::move(*group), [raw = door.get()](Stream stream) { raw->Accept(std::move(stream)); },
      Reserve::kUses);
  if (!listener) return std::unexpected(listener.error());
  door->listener_ = std::move(*listener);
  return door;
}

AdminDoor::~AdminDoor() {
  loop_.Stop();
  listener_.reset();
  while (sessions_.linked()) {
    auto* session = static_cast<AdminSession*>(sessions_.next);
    session->Unlink();  // NOLINT(clang-analyzer-cplusplus.NewDelete): it doesn't see that this moves `next`
    delete session;
  }
}

void AdminDoor::Accept(Stream stream) {
  if (count_ >= ConnectionsMax() || OnlyReserveIsLeft()) MakeRoom();
  if (count_ >= ConnectionsMax()) return;
  auto* session = new AdminSession(*this, std::move(stream));
  session->InsertBefore(&sessions_);
  ++count_;
}

// Who has connected and asks for nothing goes first, the oldest before the others.
void AdminDoor::MakeRoom() {
  for (TimerLink* link = sessions_.next; link != &sessions_; link = link->next) {
    auto* session = static_cast<AdminSession*>(link);
    if (!session->busy()) return session->Abort();
  }
}

// Answers wait here for slow readers, not in the server behind.
void AdminDoor::CutGreediest() {
  size_t all = 0;
  AdminSession* greediest = nullptr;
  for (TimerLink* link = sessions_.next; link != &sessions_; link = link->next) {
    auto* session = static_cast<AdminSession*>(link);
    all += session->unsent();
    if (session->busy()) continue;
    if (greediest == nullptr || session->unsent() > greediest->unsent()) greediest = session;
  }
  if (all >= behind_.unsent_bytes_max && greediest != nullptr) greediest->Abort();
}

// Whoever names another port of this machine means another service (RFC 9112 3.2.2).
bool AdminDoor::IsOurs(std::string_view authority) const {
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  return hosts_.Allow(authority) && (!has_port || ParseDigits(authority.substr(colon + 1)) == port_);
}

bool AdminDoor::TakeToken(SteadyTime now) {
  const WebRateLimit& limit = options_.web.rate_limit;
  if (limit.interval == Micros(0)) return true;
  const double passed = std::chrono::duration<double>(now - std::exchange(tokens_at_, now)).count();
  const double more = passed / std::chrono::duration<double>(limit.interval).count();
  tokens_ = std::min(static_cast<double>(limit.burst), tokens_ + more);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool AdminDoor::Ask(AdminSession& session) {
  if (waiting_.size() >= kWaitingMax) return false;
  CutGreediest();
  waiting_.push_back(&session);
  Serve();
  return true;
}

void AdminDoor::Serve() {
  for (auto next = waiting_.begin(); next != waiting_.end() && running_ < behind_.requests_max;) {
    AdminSession* session = *next;
    if (session->computing() && computing_ >= kComputingMax) {
      ++next;
      continue;
    }
    next = waiting_.erase(next);
    ++running_;
    if (session->computing()) ++computing_;
    session->OnTurnBehind();
  }
}

void AdminDoor::Done(AdminSession& session) {
  if (!session.running()) {
    std::erase(waiting_, &session);
    return;
  }
  --running_;
  if (session.computing()) --computing_;
  loop_.Post([this] { Serve(); });
}

void AdminDoor::Remove(AdminSession& session) {
  session.Unlink();
  --count_;
  if (graveyard_.empty()) loop_.Post([this] { graveyard_.clear(); });
  graveyard_.emplace_back(&session);
}

}  // namespace apiquota::net
