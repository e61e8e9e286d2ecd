// rooms: proxy apis metrics quota provider net http base
// with: fake_kernel.cc fake_epoll.cc fake_system_calls.cc http_text.cc session_fragments.cc session_peers.cc
// with: session_client.cc session_world.cc
// The input is a script of what clients and upstreams do to a worker of the proxy: session_script.md.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/session_script.h"
#include "tests/fuzz/session_world.h"

namespace apiquota::fuzz {
namespace {

constexpr int kStepsMax = 400;
constexpr size_t kBytesMax = 2 * 1024 * 1024;  // that clients and upstreams say in one run
constexpr Micros kTimeMax = std::chrono::minutes(2);

size_t BufferSize(size_t n) {
  constexpr size_t kSizes[] = {1024, 4096, 64 * 1024, 1024 * 1024};
  return kSizes[n % 4];
}

size_t Pick(std::initializer_list<size_t> values, size_t n) { return values.begin()[n % values.size()]; }

class Run {
 public:
  explicit Run(std::string_view text) : script_(text) {}

  void Do() {
    bool torn_down = false;
    int steps = 0;
    while (!script_.done() && !torn_down && steps < kStepsMax) {
      const char step = script_.Take();
      if (step == '#') script_.SkipLine();
      if (step == 'O' && !world_) SetOption();
      torn_down = step == '!';
      if (step == '!' || step == '#' || step == 'O' || !IsStep(step)) continue;
      if (!world_) world_.emplace(options_);
      ++steps;
      Step(step);
      if (script_.Skip('&')) continue;
      script_.Skip('.') ? world_->Turn() : world_->Settle();
    }
    if (world_ && !torn_down) world_->Leave(steps % 2 == 0);
  }

 private:
  static bool IsStep(char c) {
    return std::string_view("csmMpxrahkKuyeAfgGbBnNtTLDF").find(c) != std::string_view::npos;
  }

  void SetOption() {
    const char name = script_.Take();
    const size_t n = script_.Number();
    if (name == 'h') {
      options_.buffer_high_bytes = Pick({256 * 1024, 4096, 16 * 1024, 1}, n);
      options_.buffer_low_bytes = options_.buffer_high_bytes / 2;
    }
    if (name == 'u') options_.upstream_connections_max = std::max<size_t>(1, n);
    if (name == 'q') options_.upstream_queue_max = n;
    if (name == 'c') options_.clients_max = std::max<size_t>(1, n);
    if (name == 'H') options_.head_bytes_max = Pick({64 * 1024, 1024, 8192}, n);
    if (name == 'b') upstream_buffer_ = BufferSize(n);
  }

  void Step(char step) {
    if (std::string_view("smMpxrahkK").find(step) != std::string_view::npos) return ClientStep(step);
    if (std::string_view("uyefgG").find(step) != std::string_view::npos) return UpstreamStep(step);
    FakeKernel& kernel = FakeKernel::Get();
    kernel.connect_buffer = upstream_buffer_;
    switch (step) {
      case 'c': {
        const size_t client = script_.Number() % SessionWorld::kClients;
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
      case 'L':
        return world_->Reload(script_.Number() != 0);
      case 'D':
        return world_->Drain();
      default:
        return Fail();
    }
  }

  void ClientStep(char step) {
    const size_t index = script_.Number() % SessionWorld::kClients;
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

  void UpstreamStep(char step) {
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

  void SendTimes(ClientSide& client, const RequestFragment& fragment, size_t times) {
    const size_t size = Expand(fragment.text, MarkFor(0, 0)).size();
    for (; times > 0 && said_ + size <= kBytesMax; --times) {
      said_ += size;
      client.Send(fragment, 1);
    }
  }

  void Fail() {
    constexpr int kErrors[] = {EINTR, EMFILE, ENOMEM};
    const auto call = static_cast<FailingCall>(script_.Number() % 5);
    const size_t n = script_.Number() % 3;
    // A read or a write is only ever interrupted.
    const bool transfer = call == FailingCall::kRecv || call == FailingCall::kSend;
    FakeKernel::Get().FailNext(call, transfer ? EINTR : kErrors[n]);
  }

  void Pass(Micros time) {
    const Micros taken = std::min(time, kTimeMax - passed_);
    passed_ += taken;
    world_->Pass(taken);
  }

  // Of what can be an answer by itself.
  char Letter() {
    const ReplyFragment& reply = ReplyFor(script_.Take());
    return reply.from == Reply::kNone ? reply.letter : '\0';
  }

  std::string Spend(std::string bytes) {
    said_ += bytes.size();
    return bytes;
  }

  Script script_;
  proxy::ProxyOptions options_ = ShortDeadlines();
  size_t upstream_buffer_ = 64 * 1024;
  std::optional<SessionWorld> world_;
  size_t said_ = 0;
  Micros passed_{0};
};

char AnyLetter(size_t n) { return "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[n]; }

// A step as a script writes it, or two: . becomes a small number, ? a request's letter, ! an answer's.
std::string AnyStep(const auto& below) {
  constexpr std::string_view kSteps[] = {"c..", "s.?", "s.?", "s.?", "m.?.", "m.g.", "M.?.", "p.?*",   "r..",
                                         "a..", "h.",  "k.",  "K.",  "u.!",  "u.!",  "u.!",  "s.gu.!", "e..",
                                         "A.",  "f.",  "g.",  "G.",  "b!",   "b!",   "b!",   "ba",     "B!",
                                         "n.",  "N",   "t.",  "T.",  "L.",   "D",    "F.."};
  std::string out;
  for (const char c : kSteps[below(std::size(kSteps))]) {
    switch (c) {
      case '.':
        out += AnyLetter(below(4));
        break;
      case '*':
        out += AnyLetter(below(62));
        break;
      case '?':
        out += RequestLetter(below(SIZE_MAX));
        break;
      case '!':
        out += ReplyLetter(below(SIZE_MAX));
        break;
      default:
        out += c;
    }
  }
  const size_t wait = below(6);
  return wait == 0 ? out + '&' : wait == 1 ? out + '.' : out;
}

// Before all else: an agent that refused everything would break no rule.
bool RelaysAtAll() {
  SessionWorld world(ShortDeadlines());
  world.reply_to_whole = 'a';
  world.Connect(0, BufferSize(2), true);
  world.Settle();
  for (unsigned request = 1; request <= 2; ++request) {
    world.client(0)->Send(RequestFor('g'), 1);
    world.Settle();
    Require(world.client(0)->newest_mark() == request, "a plain request is relayed");
  }
  world.Leave(false);
  return true;
}

}  // namespace
}  // namespace apiquota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool relays = apiquota::fuzz::RelaysAtAll();
  (void)relays;
  apiquota::fuzz::Run({reinterpret_cast<const char*>(data), size}).Do();
  return 0;
}

// libFuzzer's own; absent where seeds are only replayed.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Bytes at random are hardly ever a step: mostly whole steps are put in, taken out and repeated.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  std::string script(reinterpret_cast<const char*>(data), size);
  const size_t at = below(script.size() + 1);
  switch (below(8)) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 1:
      script.erase(at, 1 + below(8));
      break;
    case 2:
      script.insert(below(script.size() + 1), script.substr(at, 1 + below(24)));
      break;
    case 3:
      if (at < script.size()) script[at] = apiquota::fuzz::AnyLetter(below(62));
      break;
    default:
      script.insert(at, apiquota::fuzz::AnyStep(below));
  }
  script.resize(std::min(script.size(), max_size));
  std::ranges::copy(script, data);
  return script.size();
}
