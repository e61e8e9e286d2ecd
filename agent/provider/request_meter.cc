#include "provider/request_meter.h"

#include <algorithm>

#include "base/find_byte.h"
#include "base/text.h"

namespace apiquota::provider {
namespace {

constexpr std::string_view kDataUrl = "data:";

// RFC 4648, both alphabets; a line's end comes as an escape.
constexpr auto kBase64 = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool InBase64(char c) { return kBase64[static_cast<unsigned char>(c)]; }

// "data:image/png;base64," and no blank before the comma: a prompt may begin with the word.
bool IsDataUrl(std::string_view head) {
  if (!head.starts_with(kDataUrl)) return false;
  const std::string_view type = head.substr(0, head.find(','));
  return type.size() < head.size() && type.ends_with(";base64") && type.find(' ') == std::string_view::npos;
}

}  // namespace

RequestMeter::Body RequestMeter::BodyOf(std::string_view content_type) {
  if (content_type.empty() || ContainsIgnoreCase(content_type, "json")) return Body::kJson;
  const bool text = StartsWithIgnoreCase(content_type, "text/") ||
                    StartsWithIgnoreCase(content_type, "application/x-www-form-urlencoded");
  return text ? Body::kText : Body::kMedia;
}

void RequestMeter::Write(std::string_view bytes) {
  all_bytes_ += bytes.size();
  if (body_ == Body::kJson) WriteJson(bytes);
}

void RequestMeter::WriteJson(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (!in_text_) {
      at = FindByte(bytes, at, [](auto byte) { return byte == '"'; });
      if (at == bytes.size()) return;
      BeginText();
      ++at;
    } else if (escaped_) {
      LookBehindBackslash(bytes[at]);
      escaped_ = false;
      ++text_bytes_;
      ++at;
    } else {
      const size_t stop = FindByte(bytes, at, [](auto byte) { return (byte == '"') | (byte == '\\'); });
      Look(bytes.substr(at, stop - at));
      text_bytes_ += stop - at;
      if (stop == bytes.size()) return;
      escaped_ = bytes[stop] == '\\';
      if (escaped_) {
        ++text_bytes_;
      } else {
        EndText();
      }
      at = stop + 1;
    }
  }
}

void RequestMeter::BeginText() {
  in_text_ = true;
  base64_ = true;
  text_bytes_ = 0;
  head_bytes_ = 0;
}

void RequestMeter::Look(std::string_view part) {
  if (text_bytes_ >= kBase64BytesMin) return;
  const size_t kept = std::min(part.size(), head_.size() - head_bytes_);
  std::copy_n(part.begin(), kept, head_.begin() + static_cast<ptrdiff_t>(head_bytes_));
  head_bytes_ += kept;
  if (base64_) base64_ = std::ranges::all_of(part.substr(0, kBase64BytesMin - text_bytes_), InBase64);
}

// "\/" is a letter of base64, and lines of it may be apart; any other escape says that it is text.
void RequestMeter::LookBehindBackslash(char c) {
  if (c != 'n' && c != 'r') Look(c == '/' ? "/" : " ");
}

void RequestMeter::EndText() {
  if (IsMedia()) {
    ++media_;
    media_bytes_ += text_bytes_;
  }
  in_text_ = false;
}

bool RequestMeter::IsMedia() const {
  return (base64_ && text_bytes_ >= kBase64BytesMin) || IsDataUrl({head_.data(), head_bytes_});
}

BodySize RequestMeter::size() const {
  if (body_ == Body::kText) return {.text_bytes = all_bytes_};
  if (body_ == Body::kMedia) return {.media_bytes = all_bytes_, .media = all_bytes_ == 0 ? 0U : 1U};
  const bool under_way = in_text_ && IsMedia();
  const uint64_t media_bytes = media_bytes_ + (under_way ? text_bytes_ : 0);
  return {.text_bytes = all_bytes_ - media_bytes,
          .media_bytes = media_bytes,
          .media = media_ + (under_way ? 1U : 0U)};
}

}  // namespace apiquota::provider
