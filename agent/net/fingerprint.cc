#include "net/fingerprint.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "base/descriptor.h"
#include "base/text.h"

namespace apiquota::net {
namespace {

constexpr size_t kSaltBytes = 32;
constexpr size_t kSaltTextMin = 16;
constexpr size_t kMacBytes = 32;  // of SHA-256
constexpr size_t kFingerprintBytes = 4;

std::string Hex(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

using Mac = std::array<unsigned char, kMacBytes>;

Mac MacOf(const Secret& salt, std::string_view text) {
  Mac mac;
  unsigned int size = 0;
  const std::string_view key = salt.Reveal();
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  if (done == nullptr || size != mac.size()) std::abort();
  return mac;
}

std::string Reason() { return std::strerror(errno); }

Result<Secret> ReadSalt(const Descriptor& file) {
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return Fail("the key salt can't be read: " + Reason());
  if (!S_ISREG(info.st_mode)) return Fail("the key salt must be a regular file");
  if ((info.st_mode & 077) != 0) {
    return Fail("the key salt can be read by others; expected mode 0600 (chmod 600)");
  }
  std::array<char, 4096> buffer;
  const ssize_t n = read(file.get(), buffer.data(), buffer.size());
  if (n < 0) return Fail("the key salt can't be read: " + Reason());
  std::string_view text(buffer.data(), static_cast<size_t>(n));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.size() < kSaltTextMin) return Fail("the key salt is shorter than 16 bytes");
  return Secret(std::string(text));
}

}  // namespace

std::string Fingerprinter::Of(std::string_view credential) const {
  if (credential.empty()) return "anonymous";
  const Mac mac = MacOf(salt_, credential);
  return "hmac:" + Hex(std::span(mac).first(kFingerprintBytes));
}

std::string Fingerprinter::Digest(std::string_view text) const {
  const Mac mac = MacOf(salt_, text);
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

Result<Secret> LoadOrCreateSalt(const std::string& path) {
  const Descriptor existing(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (existing.get() >= 0) return ReadSalt(existing);
  if (errno != ENOENT) return Fail("the key salt can't be read: " + Reason());
  const Descriptor created(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (created.get() < 0) return Fail("the key salt can't be created: " + Reason());
  Secret salt = RandomSalt();
  const std::string_view text = salt.Reveal();
  if (write(created.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(created.get()) != 0) {
    const std::string reason = Reason();
    unlink(path.c_str());
    return Fail("the key salt can't be written: " + reason);
  }
  return salt;
}

Secret RandomSalt() {
  std::array<unsigned char, kSaltBytes> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1)
    std::abort();  // a machine without randomness can't keep secrets
  return Secret(Hex(bytes));
}

}  // namespace apiquota::net
