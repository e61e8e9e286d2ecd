#include "app/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include "base/descriptor.h"

namespace apiquota::app {
namespace {

constexpr size_t kFileBytesMax = 64 * 1024 * 1024;

std::unexpected<Error> Failed(std::string_view what) {
  return Fail(fmt::format("cannot {}: {}", what, std::generic_category().message(errno)));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return Failed("read the file");
  std::string text;
  char bytes[65536];
  ssize_t n = 0;
  while ((n = read(file.get(), bytes, sizeof bytes)) > 0) {
    text.append(bytes, static_cast<size_t>(n));
    if (text.size() > kFileBytesMax) return Fail("cannot read the file: larger than 64 MiB");
  }
  if (n < 0) return Failed("read the file");
  return text;
}

Status WriteFileAtomically(const std::string& path, std::string_view text) {
  const std::string beside = path + ".tmp";
  {
    const Descriptor file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) return Failed("write the file");
    if (!WriteAll(file.get(), text) || fsync(file.get()) != 0) {
      const auto failure = Failed("write the file");
      unlink(beside.c_str());
      return failure;
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    const auto failure = Failed("replace the file");
    unlink(beside.c_str());
    return failure;
  }
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor folder(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || fsync(folder.get()) != 0) return Failed("flush the folder");
  return {};
}

}  // namespace apiquota::app
