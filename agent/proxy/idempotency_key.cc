#include "proxy/idempotency_key.h"

#include <array>
#include <cstdint>
#include <random>

#include "base/tidy_path.h"
#include "guard/path_pattern.h"

namespace apiquota::proxy {

bool GetsIdempotencyKey(const guard::Options& options, const http::RequestHead& head, std::string_view path) {
  if (options.retry.add_idempotency_key.empty() || head.method != "POST") return false;
  if (options.ModeOf(options.retry) != guard::Mode::kOn) return false;
  std::string scratch;
  if (!guard::FitsAny(options.retry.add_idempotency_key, TidyPath(path, &scratch))) return false;
  const auto brought = head.fields.Find(kIdempotencyKey);
  return !brought || brought->empty();
}

std::string RandomUuid() {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr uint8_t kVersion4 = 0x40;
  constexpr uint8_t kVariant = 0x80;
  std::random_device random;
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); i += sizeof(uint32_t)) {
    const uint32_t word = random();
    for (size_t j = 0; j < sizeof(word); ++j) bytes[i + j] = static_cast<uint8_t>(word >> (8 * j));
  }
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | kVersion4);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | kVariant);
  std::string uuid;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += kHex[bytes[i] >> 4];
    uuid += kHex[bytes[i] & 0x0f];
  }
  return uuid;
}

}  // namespace apiquota::proxy
