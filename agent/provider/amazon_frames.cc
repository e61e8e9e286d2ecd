#include "provider/amazon_frames.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace apiquota::provider {
namespace {

constexpr size_t kChecksumBytes = 4;
constexpr size_t kFrameBytesMax = 32 * 1024 * 1024;  // AWS sends 24 MiB at most
constexpr uint8_t kText = 7;

size_t Number(std::string_view bytes) {
  size_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

// How long the value of a header is that begins here, with its length if it states one.
std::optional<size_t> ValueBytes(uint8_t type, std::string_view rest) {
  constexpr size_t kBytes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  constexpr uint8_t kBlob = 6;
  if (type >= std::size(kBytes)) return std::nullopt;
  if (type != kBlob && type != kText) return kBytes[type];
  if (rest.size() < 2) return std::nullopt;
  return 2 + Number(rest.substr(0, 2));
}

// The name of the event or the exception; empty if the headers say none.
std::string_view NameIn(std::string_view headers) {
  std::string_view found;
  while (!headers.empty()) {
    const auto name_bytes = static_cast<size_t>(static_cast<uint8_t>(headers[0]));
    if (headers.size() < name_bytes + 2) return {};
    const std::string_view name = headers.substr(1, name_bytes);
    const auto type = static_cast<uint8_t>(headers[name_bytes + 1]);
    headers.remove_prefix(name_bytes + 2);
    const auto bytes = ValueBytes(type, headers);
    if (!bytes || headers.size() < *bytes) return {};
    if (type == kText && (name == ":event-type" || name == ":exception-type"))
      found = headers.substr(2, *bytes - 2);
    headers.remove_prefix(*bytes);
  }
  return found;
}

bool IsPlain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

void AmazonFrames::Enter(State state, size_t bytes) {
  state_ = state;
  left_ = bytes;
  kept_.clear();
}

void AmazonFrames::ReadPrelude() {
  const size_t frame = Number(std::string_view(kept_).substr(0, 4));
  const size_t headers = Number(std::string_view(kept_).substr(4, 4));
  const size_t around = kPreludeBytes + kChecksumBytes;
  if (frame > kFrameBytesMax || frame < around || frame - around < headers) return Enter(State::kBroken, 0);
  payload_bytes_ = frame - around - headers;
  told_ = payload_bytes_ > 0 && headers <= kHeaderBytesMax;
  Enter(State::kHeaders, headers);
}

void AmazonFrames::ReadHeaders(EventStreamHandler& handler) {
  const std::string_view name = NameIn(kept_);
  told_ = told_ && IsPlain(name);
  if (told_) handler.OnData(std::string("{\"").append(name).append("\":"));
  Enter(State::kPayload, payload_bytes_);
}

std::string_view AmazonFrames::Take(std::string_view* bytes) {
  const std::string_view piece = bytes->substr(0, left_);
  bytes->remove_prefix(piece.size());
  left_ -= piece.size();
  const bool small = state_ == State::kPrelude || state_ == State::kHeaders;
  if (small && kept_.size() + piece.size() <= kHeaderBytesMax) kept_.append(piece);
  return piece;
}

void AmazonFrames::Write(std::string_view bytes, EventStreamHandler& handler) {
  while (state_ != State::kBroken && (!bytes.empty() || left_ == 0)) {
    const std::string_view piece = Take(&bytes);
    if (state_ == State::kPayload && told_ && !piece.empty()) handler.OnData(piece);
    if (left_ > 0) continue;
    switch (state_) {
      case State::kPrelude:
        ReadPrelude();
        break;
      case State::kHeaders:
        ReadHeaders(handler);
        break;
      case State::kPayload:
        if (told_) handler.OnData("}");
        if (told_) handler.OnEventEnd();
        Enter(State::kChecksum, kChecksumBytes);
        break;
      case State::kChecksum:
        Enter(State::kPrelude, kPreludeBytes);
        break;
      case State::kBroken:
        break;
    }
  }
}

}  // namespace apiquota::provider
