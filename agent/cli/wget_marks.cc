// `wget -S`: "--2024-06-13 00:00:00--  https://…" before each request, the head of each answer indented by
// two blanks, and remarks of wget's own around both; all of it on standard error, where the body may have
// been mixed in (`-O -`).
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/printed_exchange.h"

namespace apiquota::cli {
namespace {

// "2024-06-13 00:00:01 ERROR 429: …", "2024-06-13 00:00:01 (20.1 MB/s) - …"
bool BeginsWithTime(std::string_view line) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00 ";
  if (line.size() < kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = line[i] >= '0' && line[i] <= '9';
    if (kShape[i] == '0' ? !digit : line[i] != kShape[i]) return false;
  }
  return true;
}

// "     0K .......... ..........  100% 11.3M=0s", "-  100%[=======>]  1.2K  --.-KB/s  in 0s"
bool IsMeter(std::string_view line) {
  const std::string_view text = Trim(line);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return line.find("%[") != std::string_view::npos || line.find("[ <=>") != std::string_view::npos ||
         (line.starts_with(' ') && digits > 0 && text.substr(digits).starts_with("K "));
}

bool IsRemark(std::string_view line) {
  constexpr std::array<std::string_view, 13> kRemarks = {
      "Resolving ",     "Connecting to ",      "Reusing existing connection", "HTTP request sent",
      "Length: ",       "Saving to: ",         "Proxy request sent",          "Remote file exists",
      "Location: http", "Spider mode enabled", "Cookie coming from",          "WARNING: ",
      "Giving up."};
  return std::ranges::any_of(kRemarks, [&](auto remark) { return line.starts_with(remark); }) ||
         BeginsWithTime(line) || IsMeter(line);
}

class Unmarker {
 public:
  void Add(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool indented = line.starts_with("  ");
    const std::string_view content = indented ? line.substr(2) : std::string_view();
    if (line.starts_with("Spider mode enabled")) method_ = "HEAD";
    if (const size_t url = line.find("--  http"); line.starts_with("--") && url != std::string_view::npos) {
      request_ = method_ + " " + std::string(line.substr(url + 4)) + " HTTP/1.1\n\n";
      Begin("");
    } else if (StatusOfLine(content) != 0) {
      Begin(content);
    } else if (in_head_ && (IsFieldLine(content) || line.starts_with("   "))) {
      head_.append(content).append("\n");
    } else {
      in_head_ = false;
      if (!head_.empty() && !IsRemark(line)) body_.append(line).append("\n");
    }
  }

  std::string Take() { return head_.empty() ? "" : request_ + head_ + "\n" + body_; }

 private:
  void Begin(std::string_view status_line) {
    head_ = status_line.empty() ? "" : std::string(status_line) + "\n";
    body_.clear();
    in_head_ = !status_line.empty();
  }

  std::string method_ = "GET";
  std::string request_, head_, body_;
  bool in_head_ = false;
};

}  // namespace

std::string WithoutWgetMarks(std::string_view text) {
  Unmarker unmarker;
  for (const std::string_view line : Split(text, '\n')) unmarker.Add(line);
  return unmarker.Take();
}

}  // namespace apiquota::cli
