#include "net/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace apiquota::net {
namespace {

constexpr mode_t kMode = 0660;

std::unexpected<Error> CantListen(const std::string& path, int error) {
  return Fail("unix:" + path + ": can't listen: " + std::generic_category().message(error));
}

Descriptor OpenSocket() { return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

const sockaddr* Generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Error: the path must stay as it is.
Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Status{} : CantListen(path, errno);
  if (!S_ISSOCK(info.st_mode)) return Fail("unix:" + path + ": there is a file here that is no socket");
  const Descriptor caller = OpenSocket();
  if (!caller.valid()) return CantListen(path, errno);
  const bool answered = connect(caller.get(), Generic(address), sizeof address) == 0;
  if (answered || errno != ECONNREFUSED) {
    return Fail("unix:" + path + ": the address is in use by another program");
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return CantListen(path, errno);
  return {};
}

}  // namespace

Result<Descriptor> ListenAtPath(const std::string& path, int backlog, dev_t* device, ino_t* inode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return CantListen(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (const Status removed = RemoveStale(path, address); !removed) return std::unexpected(removed.error());
  Descriptor socket = OpenSocket();
  // The file gets the descriptor's mode, less the umask; the rest is added before anybody is let in.
  const bool bound = socket.valid() && fchmod(socket.get(), kMode) == 0 &&
                     bind(socket.get(), Generic(address), sizeof address) == 0;
  if (!bound) return CantListen(path, errno);
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return CantListen(path, errno);
  *device = info.st_dev;
  *inode = info.st_ino;
  if (chmod(path.c_str(), kMode) != 0 || listen(socket.get(), backlog) != 0) return CantListen(path, errno);
  return socket;
}

void RemoveSocketFile(const std::string& path, dev_t device, ino_t inode) {
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0 && info.st_dev == device && info.st_ino == inode) unlink(path.c_str());
}

}  // namespace apiquota::net
