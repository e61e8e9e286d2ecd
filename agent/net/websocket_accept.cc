#include "net/websocket_accept.h"

#include <openssl/evp.h>

#include <array>

namespace apiquota::net {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kSha1Size = 20;

}  // namespace

std::string WebSocketAccept(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return {};
  if (size != kSha1Size) return {};
  std::array<unsigned char, 4 * ((kSha1Size + 2) / 3) + 1> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), kSha1Size);
  return {reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(length)};
}

}  // namespace apiquota::net
