// `curl -v`: ">" before what was sent, "<" before what came, "*" before curl's own remarks, "{ [5 bytes
// data]" for bodies on their way; all of it on standard error, where the progress meter may have written
// first.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/printed_exchange.h"

namespace apiquota::cli {
namespace {

constexpr size_t kMeterBytes = 78;  // one state of the progress meter, which ends without a line break

// Three times of day, "0:00:12" or "--:--:--", at the places where the meter has them.
bool IsMeter(std::string_view line) {
  constexpr std::array<size_t, 6> kColons = {48, 51, 57, 60, 66, 69};
  return line.size() >= kMeterBytes &&
         std::ranges::all_of(kColons, [&](size_t at) { return line[at] == ':'; });
}

// What the meter's last state left of the line.
std::string_view WithoutMeter(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (;;) {
    if (IsMeter(line)) {
      line.remove_prefix(kMeterBytes);
    } else if (line.starts_with('\r')) {
      line.remove_prefix(1);
    } else {
      return line;
    }
  }
}

bool Marked(std::string_view line, char mark) {
  return line.starts_with(mark) && (line.size() == 1 || line[1] == ' ');
}

bool IsRemark(std::string_view line) {
  return Marked(line, '*') ||
         ((line.starts_with("{ [") || line.starts_with("} [")) && line.ends_with(" data]")) ||
         line.starts_with("  % Total    % Received") ||
         line.starts_with("                                 Dload");
}

// Curl's last remarks follow a body that has no line break of its own.
std::string_view WithoutLastRemark(std::string_view line) {
  for (const std::string_view remark :
       {"* Connection #", "* Closing connection", "* Excess found", "* transfer closed"}) {
    line = line.substr(0, line.find(remark));
  }
  return line;
}

struct Unmarked {
  std::string request, response, body;
  bool head_ended = false;

  void Add(std::string_view line) {
    const std::string_view content = Trim(line.substr(std::min<size_t>(2, line.size())));
    if (Marked(line, '>')) {
      if (IsRequestLine(content)) *this = {};
      request.append(content).append("\n");
    } else if (Marked(line, '<')) {
      if (StatusOfLine(content) != 0) {
        response.clear();
        body.clear();
        head_ended = false;
      }
      response.append(content).append("\n");
      head_ended = content.empty();
    } else if (head_ended && !IsRemark(line)) {
      const std::string_view kept = WithoutLastRemark(line);
      body.append(kept);
      if (kept.size() == line.size()) body.append("\n");
    }
  }
};

}  // namespace

std::string WithoutCurlMarks(std::string_view text) {
  Unmarked unmarked;
  for (const std::string_view line : Split(text, '\n')) unmarked.Add(WithoutMeter(line));
  if (unmarked.response.empty() ||
      StatusOfLine(unmarked.response.substr(0, unmarked.response.find('\n'))) == 0) {
    return "";
  }
  // With -i the head stands before the body once more.
  const std::string& body = unmarked.body;
  if (StatusOfLine(body.substr(0, body.find('\n'))) != 0) return unmarked.request + body;
  return unmarked.request + unmarked.response + (unmarked.head_ended ? "" : "\n") + body;
}

}  // namespace apiquota::cli
