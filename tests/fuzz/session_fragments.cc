#include "tests/fuzz/session_fragments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace apiquota::fuzz {
namespace {

#define AT_T "/t/{id} HTTP/1.1\r\nHost: localhost\r\n"
#define AT_ALL "/t/same HTTP/1.1\r\nHost: localhost\r\n"

constexpr RequestFragment kRequests[] = {
    {'g', true, "GET " AT_T "\r\n"},
    {'h', true, "HEAD " AT_T "\r\n"},
    {'l', true, "POST " AT_T "Content-Length: 5\r\n\r\nhello"},
    {'p', true, "POST " AT_T "Content-Length: 5000\r\n\r\n{y5000}"},
    {'b', true, "POST " AT_T "Content-Length: 70000\r\n\r\n{y70000}"},
    {'B', true, "POST " AT_T "Content-Length: 400000\r\n\r\n{y400000}"},
    {'c', true, "POST " AT_T "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {'C', true,
     "POST " AT_T "Transfer-Encoding: chunked\r\n\r\n2710;x=y\r\n{y10000}\r\n0\r\nTrailer-A: b\r\n\r\n"},
    {'d', false, "POST " AT_T "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
    {'D', false, "7000\r\n{y28672}\r\n"},
    {'f', false, "0\r\n\r\n"},
    {'e', false, "POST " AT_T "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"},
    {'v', false, "hello"},
    {'L', false, "POST " AT_T "Content-Length: 20000\r\n\r\n"},
    {'y', false, "{y1000}"},
    {'Y', false, "{y16000}"},
    // what is refused, with more behind it
    {'n', true, "GET /nope/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {'N', true, "POST /nope/{id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{y5000}"},
    {'w', true, "GET /t/{id} HTTP/1.1\r\nHost: evil.example\r\n\r\n"},
    {'W', false, "POST /t/{id} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9000\r\n\r\n{y4000}"},
    {'z', true, "GET /t/%00/{id} HTTP/1.1\r\nHost: localhost\r\nX-Pad: {p1200}\r\n\r\n"},
    {'q', true, "GET /nope/{id} HTTP/1.0\r\nHost: localhost\r\nX-Pad: {p1200}\r\n\r\n"},
    {'Q', true, "GET /nope/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Pad: {p1200}\r\n\r\n"},
    {'i', true, "GET " AT_T "Via: 1.1 apiquota\r\n\r\n"},
    {'u', true,
     "POST /o/{id} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: "
     "3000\r\n\r\n{y3000}"},
    {'m', false, "POST " AT_T "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {'M', false, "GET /t/{id} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {'x', false, "\x16\x03\x01\x02garbage garbage\r\n\r\n"},
    // versions, connections, forms of the target, upgrades
    {'1', true, "GET /t/{id} HTTP/1.0\r\nHost: localhost\r\n\r\n"},
    {'k', true, "GET /t/{id} HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"},
    {'o', true, "GET " AT_T "Connection: close\r\n\r\n"},
    {'a', true, "GET http://localhost/t/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {'X', true, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {'U', true,
     "GET " AT_T "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"},
    {'G', true, "GET /t/{id} HTTP/1.0\r\n\r\n"},
    {'F', true, "GET http://localhost:1/t/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {'O', true, "GET " AT_T "Connection: te, x-a\r\nTE: trailers\r\nX-A: b\r\nKeep-Alive: timeout=5\r\n\r\n"},
    {'R', true, "POST " AT_T "Content-Length: 0\r\n\r\n"},
    // at the admin side: a password, and what only its door may say
    {'A', true, "GET " AT_T "Authorization: Basic dTpw\r\n\r\n"},
    {'E', true, "GET " AT_T "X-Apiquota-Door: mine\r\nx-apiquota-door: mine\r\n\r\n"},
    // keys: the other api injects one, for a caller
    {'j', true, "GET /o/{id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer caller-token\r\n\r\n"},
    {'J', true,
     "POST /o/v1/chat/completions/{id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer caller-token\r\n"
     "Content-Type: application/json\r\nContent-Length: 31\r\n\r\n{{\"model\":\"gpt-5\",\"stream\":true}"},
    {'K', true, "GET " AT_T "Authorization: Bearer key-of-the-client\r\n\r\n"},
    // the same for everybody, so that one answer may do for all: no marks. A budget of a caller
    {'S', true, "GET " AT_ALL "\r\n"},
    {'s', true, "GET " AT_ALL "X-V: 2\r\n\r\n"},
    {'P', true, "HEAD " AT_ALL "\r\n"},
    {'t', true, "GET " AT_ALL "Cache-Control: no-cache\r\n\r\n"},
    {'r', true, "GET " AT_ALL "Cache-Control: only-if-cached, max-stale=9\r\n\r\n"},
    {'6', true, "GET " AT_ALL "If-None-Match: \"e\"\r\n\r\n"},
    {'7', true, "PUT " AT_ALL "Content-Length: 5\r\n\r\nhello"},
    {'T', true, "POST /t/embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{\"a\": 1 }"},
    {'V', true,
     "POST /t/embed HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
     "7\r\n{{\"a\":1}\r\n0\r\n\r\n"},
    {'8', false, "POST /t/embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{\"a\":"},
    {'9', true, "GET /o/same HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer caller-token\r\n\r\n"},
    {'Z', true, "GET /-/budget HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer caller-token\r\n\r\n"},
    // big heads, and heads in pieces
    {'H', true, "GET " AT_T "X-Pad: {p9000}\r\n\r\n"},
    {'I', false, "GET " AT_T "X-Pad: {p70000}\r\n\r\n"},
    {'0', false, "GET /t/{id} HT"},
    {'2', false, "TP/1.1\r\nHost: local"},
    {'3', false, "host\r\n\r\n"},
    {'4', false, "X-A: b\r\n"},
    {'5', false, "\r\n"},
};

#define TOLD "X-Id: {id}\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\n"
#define LIMITS "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 7\r\nX-RateLimit-Reset: 60\r\n"

constexpr ReplyFragment kReplies[] = {
    {'a', Reply::kNone, Reply::kNone, "HTTP/1.1 200 OK\r\n" TOLD LIMITS "Content-Length: 10\r\n\r\n{m1}"},
    {'b', Reply::kNone, Reply::kNone, "HTTP/1.1 200 OK\r\n" TOLD "Content-Length: 30000\r\n\r\n{m3000}"},
    {'B', Reply::kNone, Reply::kNone, "HTTP/1.1 200 OK\r\n" TOLD "Content-Length: 400000\r\n\r\n{m40000}"},
    {'c', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD "Transfer-Encoding: chunked\r\n\r\na\r\n{m1}\r\n0\r\n\r\n"},
    {'d', Reply::kNone, Reply::kChunked,
     "HTTP/1.1 200 OK\r\n" TOLD
     "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n12\r\ndata: {m1}\n\n\r\n"},
    {'e', Reply::kChunked, Reply::kChunked, "7530\r\n{m3000}\r\n"},
    {'f', Reply::kChunked, Reply::kNone, "0\r\n\r\n"},
    {'F', Reply::kChunked, Reply::kNone, "0\r\nTrailer-A: b\r\n\r\n"},
    {'g', Reply::kNone, Reply::kUntilEnd, "HTTP/1.1 200 OK\r\n" TOLD "Connection: close\r\n\r\n{m1}"},
    {'G', Reply::kUntilEnd, Reply::kUntilEnd, "{m3000}"},
    // what may be kept: fresh, open, larger than what is kept, to be asked about, by what it varies, still
    // the same
    {'C', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD
     "Cache-Control: max-age=3\r\nETag: \"e\"\r\nContent-Length: 1000\r\n\r\n{m100}"},
    {'D', Reply::kNone, Reply::kChunked,
     "HTTP/1.1 200 OK\r\n" TOLD
     "Cache-Control: max-age=3\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{m1}\r\n"},
    {'A', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD "Cache-Control: max-age=3\r\nContent-Length: 9000\r\n\r\n{m900}"},
    {'K', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD
     "Cache-Control: max-age=0, stale-if-error=9\r\nETag: \"e\"\r\nContent-Length: 10\r\n\r\n{m1}"},
    {'N', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD "Cache-Control: max-age=3\r\nVary: X-V\r\nContent-Length: 10\r\n\r\n{m1}"},
    {'E', Reply::kNone, Reply::kNone,
     "HTTP/1.1 304 Not Modified\r\n" TOLD "Cache-Control: max-age=3\r\nETag: \"e\"\r\n\r\n"},
    {'U', Reply::kNone, Reply::kUntilEnd,
     "HTTP/1.1 200 OK\r\n" TOLD "Cache-Control: max-age=3\r\nConnection: close\r\n\r\n{m1}"},
    {'h', Reply::kNone, Reply::kNone, "HTTP/1.1 204 No Content\r\n" TOLD "\r\n"},
    {'i', Reply::kNone, Reply::kNone, "HTTP/1.1 304 Not Modified\r\n" TOLD "\r\n"},
    {'j', Reply::kNone, Reply::kInterim, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
    {'k', Reply::kNone, Reply::kInterim,
     "HTTP/1.1 103 A\r\n\r\nHTTP/1.1 103 B\r\n\r\nHTTP/1.1 103 C\r\n\r\nHTTP/1.1 103 D\r\n\r\nHTTP/1.1 103 "
     "E\r\n\r\n"
     "HTTP/1.1 103 F\r\n\r\nHTTP/1.1 103 G\r\n\r\nHTTP/1.1 103 H\r\n\r\nHTTP/1.1 103 I\r\n\r\nHTTP/1.1 103 "
     "J\r\n\r\n"
     "HTTP/1.1 103 K\r\n\r\nHTTP/1.1 103 L\r\n\r\n"},
    {'l', Reply::kNone, Reply::kInterim, "HTTP/1.1 100 Continue\r\n\r\n"},
    {'m', Reply::kNone, Reply::kRogue,
     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
    {'V', Reply::kNone, Reply::kTunnel,
     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
    {'W', Reply::kTunnel, Reply::kTunnel, "{m1}"},
    {'Z', Reply::kTunnel, Reply::kTunnel, "{m3000}"},
    {'n', Reply::kNone, Reply::kNone,
     "HTTP/1.1 429 Too Many Requests\r\n" TOLD LIMITS
     "Retry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 44\r\n\r\n"
     "{{\"error\":{{\"type\":\"requests\",\"message\":\"no\"}}"},
    {'o', Reply::kNone, Reply::kNone,
     "HTTP/1.1 503 Service Unavailable\r\n" TOLD "Content-Length: 0\r\n\r\n"},
    {'x', Reply::kNone, Reply::kUntilEnd, "HTTP/1.0 200 OK\r\n" TOLD "\r\n{m1}"},
    {'X', Reply::kNone, Reply::kNone,
     "HTTP/1.0 200 OK\r\n" TOLD "Connection: keep-alive\r\nContent-Length: 10\r\n\r\n{m1}"},
    {'u', Reply::kNone, Reply::kLength, "HTTP/1.1 200 OK\r\n" TOLD "Content-Length: 12\r\n\r\n{m1}"},
    {'v', Reply::kLength, Reply::kNone, "lo"},
    {'y', Reply::kNone, Reply::kNone,
     "HTTP/1.1 200 OK\r\n" TOLD "Content-Type: application/json\r\nContent-Length: 63\r\n\r\n"
     "{{\"model\":\"gpt-5\",\"usage\":{{\"input_tokens\":9,\"output_tokens\":12}}"},
    {'w', Reply::kNone, Reply::kRogue,
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {'p', Reply::kNone, Reply::kRogue,
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
    {'q', Reply::kNone, Reply::kRogue, "HTTP/9.9 huh\r\n\r\n"},
    {'r', Reply::kNone, Reply::kRogue, "HTTP/1.1 200 OK\r\nX-Pad: {p70000}\r\n\r\n"},
    {'s', Reply::kNone, Reply::kRogue, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
    {'S', Reply::kChunked, Reply::kRogue, "zz\r\n"},
    {'t', Reply::kNone, Reply::kRogue, "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody"},
    {'0', Reply::kNone, Reply::kRogue, "HTTP/1.1 200 O"},
};

#undef AT_T
#undef AT_ALL
#undef TOLD
#undef LIMITS

template <typename T, size_t N>
const T& ByLetter(const T (&all)[N], char letter) {
  const auto* found = std::ranges::find(all, letter, &T::letter);
  return found == std::end(all) ? all[0] : *found;
}

}  // namespace

const RequestFragment& RequestFor(char letter) { return ByLetter(kRequests, letter); }
const ReplyFragment& ReplyFor(char letter) { return ByLetter(kReplies, letter); }

char RequestLetter(size_t n) { return kRequests[n % std::size(kRequests)].letter; }
char ReplyLetter(size_t n) { return kReplies[n % std::size(kReplies)].letter; }

// {{ stands for {, {id} for the mark, {m3000} for it 3,000 times, other letters for themselves.
std::string Expand(std::string_view text, std::string_view id) {
  std::string out;
  for (size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{')) {
    out.append(text, 0, open);
    text.remove_prefix(open + 1);
    if (text.starts_with('{')) {
      out += '{';
      text.remove_prefix(1);
      continue;
    }
    const size_t close = text.find('}');
    const std::string_view what = text.substr(0, close);
    size_t times = 0;
    std::from_chars(what.data() + 1, what.data() + what.size(), times);
    if (what == "id") {
      out += id;
    } else if (what.starts_with('m')) {
      const std::string mark = id == kNoMark ? std::string(kMarkLength, '-') : std::string(id);
      for (size_t i = 0; i < times; ++i) out += mark;
    } else {
      out.append(times, what.front());
    }
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

std::string MarkFor(unsigned connection, unsigned request) {
  return fmt::format("~{:03}.{:04}~", connection % 1000, request % 10000);
}

}  // namespace apiquota::fuzz
