#include "tests/fuzz/fake_kernel.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace apiquota::fuzz {
namespace {

uint16_t PortOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

sockaddr_storage Ipv4(uint32_t ip, uint16_t port) {
  sockaddr_storage out{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(ip);
  v4.sin_port = htons(port);
  return out;
}

}  // namespace

// The far end

bool FakePeer::fin_told() const { return socket_ != nullptr && socket_->fin_in; }

bool FakePeer::reset_told() const {
  return socket_ != nullptr && socket_->state == SocketFile::State::kClosed;
}

bool FakePeer::Send(std::string_view bytes) {
  if (closed_ || fin_wanted_ || saw_reset_) return false;
  if (socket_ == nullptr) {  // closed: it answers with a RST
    saw_reset_ = true;
    return false;
  }
  outbox_.append(bytes);
  Pump();
  return true;
}

std::string FakePeer::Read(size_t max) {
  const size_t n = std::min(max, inbox_.size());
  std::string out = inbox_.substr(0, n);
  inbox_.erase(0, n);
  if (inbox_.empty()) inbox_.shrink_to_fit();
  if (n > 0 && socket_ != nullptr && socket_->no_space && socket_->writable()) {
    socket_->no_space = false;
    socket_->Wake(EPOLLOUT);
  }
  return out;
}

void FakePeer::ShutdownSend() {
  fin_wanted_ = true;
  Pump();
}

void FakePeer::Close() {
  if (closed_) return;
  if (!inbox_.empty()) return Reset();
  closed_ = true;
  ShutdownSend();
}

void FakePeer::Reset() {
  if (closed_ && outbox_.empty()) return;
  closed_ = true;
  outbox_.clear();
  inbox_.clear();
  if (socket_ != nullptr) socket_->ResetArrived();
}

void FakePeer::Pump() {
  if (socket_ == nullptr || socket_->state != SocketFile::State::kOpen) return;
  const size_t room = socket_->in_max - std::min(socket_->in_max, socket_->in.size());
  const size_t n = std::min(room, outbox_.size());
  socket_->in.append(outbox_, 0, n);
  outbox_.erase(0, n);
  if (outbox_.empty()) outbox_.shrink_to_fit();
  if (n > 0) socket_->Wake(EPOLLIN);
  if (!fin_wanted_ || !outbox_.empty() || std::exchange(socket_->fin_in, true)) return;
  socket_->Wake(0);
}

// The program's socket

SocketFile::~SocketFile() {
  if (!peer) return;
  peer->socket_ = nullptr;
  if (state != State::kOpen) return;
  const bool reset = linger_zero || !in.empty() || !peer->outbox_.empty();
  peer->saw_reset_ = peer->saw_reset_ || reset;
  peer->saw_fin_ = true;
  peer->outbox_ = {};
}

uint32_t SocketFile::Poll() {
  if (state == State::kListening) return backlog.empty() ? 0U : EPOLLIN;
  if (state == State::kConnecting) return 0;
  uint32_t mask = error != 0 ? EPOLLERR : 0U;
  const bool closed = state == State::kClosed || state == State::kNew;
  if (closed || (fin_in && shut)) mask |= EPOLLHUP;
  if (state == State::kNew) return mask | EPOLLOUT;
  if (closed || fin_in) mask |= EPOLLIN | EPOLLRDHUP;
  if (!in.empty()) mask |= EPOLLIN;
  if (closed || shut || writable()) {
    mask |= EPOLLOUT;
  } else {
    no_space = true;
  }
  return mask;
}

ssize_t SocketFile::Receive(char* to, size_t size, bool peek) {
  if (state == State::kNew || state == State::kListening) return -ENOTCONN;
  if (!in.empty()) {
    const size_t n = in.copy(to, size);
    if (peek) return static_cast<ssize_t>(n);
    FakeKernel::Get().moved += n;
    in.erase(0, n);
    if (in.empty()) in.shrink_to_fit();
    if (peer) peer->Pump();
    return static_cast<ssize_t>(n);
  }
  if (fin_in) return 0;
  if (error != 0) return -TakeError();
  return state == State::kClosed ? 0 : -EAGAIN;
}

ssize_t SocketFile::Send(std::string_view bytes) {
  if (state == State::kConnecting) return -EAGAIN;
  if (error != 0) return -TakeError();
  if (state != State::kOpen || shut) return -EPIPE;
  if (peer->closed_) {  // nobody is there: the bytes are taken, and a RST comes back
    ResetArrived();
    return static_cast<ssize_t>(bytes.size());
  }
  const size_t room = peer->inbox_max_ - std::min(peer->inbox_max_, peer->inbox_.size());
  const size_t n = std::min(room, bytes.size());
  peer->inbox_.append(bytes.substr(0, n));
  FakeKernel::Get().moved += n;
  if (n < bytes.size()) no_space = true;
  return n == 0 && !bytes.empty() ? -EAGAIN : static_cast<ssize_t>(n);
}

int SocketFile::ShutdownSend() {
  if (state != State::kOpen) return -ENOTCONN;
  shut = true;
  peer->saw_fin_ = true;
  return 0;
}

void SocketFile::Attach(FakePeerPtr to, size_t buffer) {
  peer = std::move(to);
  peer->socket_ = this;
  peer->inbox_max_ = in_max = std::max<size_t>(buffer, 16);
  state = State::kOpen;
}

void SocketFile::ResetArrived() {
  if (state != State::kOpen) return;
  error = fin_in ? EPIPE : ECONNRESET;
  state = State::kClosed;
  peer->outbox_ = {};
  Wake(0);
}

void SocketFile::FailConnect(int reason) {
  state = State::kClosed;
  error = reason;
  Wake(0);
}

// The kernel

FakeKernel& FakeKernel::Get() {
  static FakeKernel kernel;
  return kernel;
}

void FakeKernel::Boot() {
  on_ = true;
  now_ = SteadyTime(std::chrono::hours(1));
  connect_policy = ConnectPolicy::kAccept;
  failing_.clear();
}

void FakeKernel::PowerOff() {
  on_ = false;
  on_connected = nullptr;
  files_.clear();
}

int FakeKernel::Open(std::unique_ptr<File> file) {
  const auto free = std::ranges::find_if(files_, [](const auto& one) { return !one; });
  const auto index = free - files_.begin();
  if (free == files_.end()) files_.emplace_back();
  files_[static_cast<size_t>(index)] = std::move(file);
  return kBase + static_cast<int>(index);
}

bool FakeKernel::Close(int fd) {
  if (Find<File>(fd) == nullptr) return false;
  files_[static_cast<size_t>(fd - kBase)].reset();
  return true;
}

void FakeKernel::AdvanceTo(SteadyTime time) {
  now_ = std::max(now_, time);
  for (const auto& file : files_) {
    auto* timer = dynamic_cast<TimerFile*>(file.get());
    if (timer == nullptr || !timer->due || *timer->due > now_) continue;
    timer->due.reset();
    ++timer->expiries;
    timer->Wake(EPOLLIN);
  }
}

std::optional<SteadyTime> FakeKernel::NextTimer() const {
  std::optional<SteadyTime> next;
  for (const auto& file : files_) {
    const auto* timer = dynamic_cast<const TimerFile*>(file.get());
    if (timer != nullptr && timer->due && (!next || *timer->due < *next)) next = timer->due;
  }
  return next;
}

size_t FakeKernel::HeldBytes() const {
  size_t held = 0;
  for (const auto& file : files_) {
    const auto* socket = dynamic_cast<const SocketFile*>(file.get());
    if (socket == nullptr) continue;
    held += socket->held();
    for (const auto& waiting : socket->backlog) held += waiting->held();
  }
  return held;
}

FakePeerPtr FakeKernel::ConnectTo(uint16_t port, uint32_t from_ipv4, size_t buffer) {
  for (const auto& file : files_) {
    auto* listening = dynamic_cast<SocketFile*>(file.get());
    if (listening == nullptr || listening->state != SocketFile::State::kListening) continue;
    if (PortOf(listening->local) != port || listening->backlog.size() >= listening->backlog_max) continue;
    auto socket = std::make_unique<SocketFile>();
    auto peer = std::make_shared<FakePeer>();
    socket->Attach(peer, buffer);
    socket->local = listening->local;
    socket->remote = Ipv4(from_ipv4, 50000);
    listening->backlog.push_back(std::move(socket));
    listening->Wake(EPOLLIN);
    return peer;
  }
  return nullptr;
}

void FakeKernel::Connect(SocketFile& socket, const sockaddr* address, socklen_t size) {
  std::memcpy(&socket.remote, address, std::min<size_t>(size, sizeof socket.remote));
  socket.local = Ipv4(INADDR_LOOPBACK, 40000);
  socket.state = SocketFile::State::kConnecting;
  if (connect_policy == ConnectPolicy::kAccept) return Establish(socket);
  if (connect_policy == ConnectPolicy::kRefuse) return socket.FailConnect(ECONNREFUSED);
  socket.hanging = true;
}

void FakeKernel::Establish(SocketFile& socket) {
  auto peer = std::make_shared<FakePeer>();
  socket.Attach(peer, connect_buffer);
  socket.Wake(EPOLLOUT);
  if (on_connected) on_connected(std::move(peer));
}

void FakeKernel::LetHangingThrough() {
  for (const auto& file : files_) {
    auto* socket = dynamic_cast<SocketFile*>(file.get());
    if (socket != nullptr && std::exchange(socket->hanging, false)) Establish(*socket);
  }
}

int FakeKernel::TakeFailure(FailingCall call) {
  const auto found = failing_.find(call);
  if (found == failing_.end()) return 0;
  const int error = found->second;
  failing_.erase(found);
  return error;
}

}  // namespace apiquota::fuzz
