#include "tests/fuzz/session_run.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace apiquota::fuzz {
namespace {

constexpr int kStepsMax = 400;
constexpr size_t kBytesMax = 2 * 1024 * 1024;  // that clients and upstreams say in one run
constexpr Micros kTimeMax = std::chrono::minutes(2);

}  // namespace

size_t BufferSize(size_t n) {
  constexpr size_t kSizes[] = {1024, 4096, 64 * 1024, 1024 * 1024};
  return kSizes[n % 4];
}

size_t Pick(std::initializer_list<size_t> values, size_t n) { return values.begin()[n % values.size()]; }

void Run::Do() {
  bool torn_down = false;
  int steps = 0;
  while (!script_.done() && !torn_down && steps < kStepsMax) {
    const char step = script_.Take();
    if (step == '#') script_.SkipLine();
    if (step == 'O' && !world_) {
      const char name = script_.Take();
      const size_t n = script_.Number();
      name == 'b' ? (void)(upstream_buffer_ = BufferSize(n)) : SetOption(name, n);
    }
    torn_down = step == '!';
    if (step == '!' || step == '#' || step == 'O' || !IsStep(step)) continue;
    if (!world_) world_ = MakeWorld();
    ++steps;
    Step(step);
    if (script_.Skip('&')) continue;
    script_.Skip('.') ? world_->Turn() : world_->Settle();
  }
  if (world_ && !torn_down) world_->Leave(steps % 2 == 0);
}

bool Run::IsStep(char c) const {
  return std::string_view("csmMpxrahkKuyeAfgGbBnNtTF").find(c) != std::string_view::npos ||
         OwnSteps().find(c) != std::string_view::npos;
}

void Run::Step(char step) {
  if (std::string_view("smMpxrahkK").find(step) != std::string_view::npos) return ClientStep(step);
  if (std::string_view("uyefgG").find(step) != std::string_view::npos) return UpstreamStep(step);
  FakeKernel& kernel = FakeKernel::Get();
  kernel.connect_buffer = upstream_buffer_;
  switch (step) {
    case 'c': {
      const size_t client = script_.Number() % World::kClients;
      const size_t size = script_.Number();
      return world_->Connect(client, BufferSize(size), size < 8);
    }
    case 'A':
      world_->upstreams_read = script_.Number() != 0;
      return;
    case 'b':
      world_->reply_to_whole = Letter();
      return;
    case 'B':
      world_->reply_to_head = Letter();
      return;
    case 'n':
      kernel.connect_policy = static_cast<ConnectPolicy>(script_.Number() % 4);
      return;
    case 'N':
      return kernel.LetHangingThrough();
    case 't':
      return Pass(static_cast<int>(script_.Number()) * std::chrono::milliseconds(100));
    case 'T':
      return Pass(static_cast<int>(script_.Number()) * std::chrono::seconds(1));
    case 'F':
      return Fail();
    default:
      return OwnStep(step);
  }
}

void Run::ClientStep(char step) {
  const size_t index = script_.Number() % World::kClients;
  ClientSide* client = world_->client(index);
  if (step == 'x')
    return client != nullptr ? client->SendRaw(Spend(script_.Quoted())) : (void)script_.Quoted();
  const bool says = std::string_view("smMp").find(step) != std::string_view::npos;
  const RequestFragment& fragment = RequestFor(says ? script_.Take() : 'g');
  const size_t n = step == 's' || step == 'h' || step == 'k' || step == 'K' ? 1 : script_.Number();
  if (says && (client == nullptr || client->peer().closed())) {
    world_->Connect(index, BufferSize(2), true);
    client = world_->client(index);
  }
  if (client == nullptr || client->peer().closed()) return;
  switch (step) {
    case 's':
    case 'm':
    case 'M':
      return SendTimes(*client, fragment, step == 'M' ? 16 * n : n);
    case 'p':
      return client->SendPart(fragment, Expand(fragment.text, kNoMark).size() * n / 61);
    case 'r':
      return client->Read(Power(n));
    case 'a':
      client->reading = n != 0;
      return;
    case 'h':
      return client->ShutdownSend();
    case 'k':
      return client->Close();
    default:
      return client->Reset();
  }
}

void Run::UpstreamStep(char step) {
  UpstreamSide* const upstream = world_->upstream(script_.Number());
  if (step == 'y')
    return upstream != nullptr ? upstream->SendRaw(Spend(script_.Quoted())) : (void)script_.Quoted();
  const char letter = step == 'u' ? script_.Take() : 'a';
  const size_t n = step == 'e' ? script_.Number() : 0;
  if (upstream == nullptr || upstream->peer().closed()) return;
  switch (step) {
    case 'u':
      return upstream->Answer(ReplyFor(letter));
    case 'e':
      return upstream->Read(Power(n));
    case 'f':
      return upstream->ShutdownSend();
    case 'g':
      return upstream->Close();
    default:
      return upstream->Reset();
  }
}

void Run::SendTimes(ClientSide& client, const RequestFragment& fragment, size_t times) {
  const size_t size = Expand(fragment.text, MarkFor(0, 0)).size();
  for (; times > 0 && said_ + size <= kBytesMax; --times) {
    said_ += size;
    client.Send(fragment, 1);
  }
}

void Run::Fail() {
  constexpr int kErrors[] = {EINTR, EMFILE, ENOMEM};
  const auto call = static_cast<FailingCall>(script_.Number() % 5);
  const size_t n = script_.Number() % 3;
  // A read or a write is only ever interrupted.
  const bool transfer = call == FailingCall::kRecv || call == FailingCall::kSend;
  FakeKernel::Get().FailNext(call, transfer ? EINTR : kErrors[n]);
}

void Run::Pass(Micros time) {
  const Micros taken = std::min(time, kTimeMax - passed_);
  passed_ += taken;
  world_->Pass(taken);
}

// Of what can be an answer by itself.
char Run::Letter() {
  const ReplyFragment& reply = ReplyFor(script_.Take());
  return reply.from == Reply::kNone ? reply.letter : '\0';
}

std::string Run::Spend(std::string bytes) {
  said_ += bytes.size();
  return bytes;
}

}  // namespace apiquota::fuzz
