// Where clients come in: all sockets of one listen address, from which each loop's Listener takes its own.
// TCP: one socket per loop and IP address (SO_REUSEPORT, the kernel spreads connections). A Unix socket: one,
// which the loops share; its file (mode 0660) is removed when the last listener is gone, and one that a dead
// process left behind is replaced.
//
// Not thread-safe: opened and taken from before the loops run. TLS is begun on what is accepted where a
// TlsServer is given, which must outlive the group.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"
#include "net/address.h"
#include "net/options.h"
#include "net/tls_context.h"

namespace apiquota::net {

class ListenGroup {
 public:
  // Fails, in one sentence, if any process (ours included) listens there already. "localhost" is both ::1 and
  // 127.0.0.1, "" both families, as far as this machine has them.
  static Result<std::shared_ptr<ListenGroup>> Open(const ListenAddress& address, TlsServer* tls = nullptr);
  ~ListenGroup();
  ListenGroup(const ListenGroup&) = delete;
  ListenGroup& operator=(const ListenGroup&) = delete;

  // One loop's sockets, which listen already; not blocking.
  Result<std::vector<Descriptor>> Take();

  // Whether only files' permissions say who may connect. No browser can: any Host will do.
  bool is_unix() const { return address_.is_unix(); }
  uint16_t port() const { return address_.port; }  // the one in use; 0 of a Unix socket
  TlsServer* tls() const { return tls_; }

 private:
  ListenGroup(ListenAddress address, TlsServer* tls) : address_(std::move(address)), tls_(tls) {}
  Status OpenUnix();
  Status OpenTcp();
  Status OpenTcpAt(uint16_t port);

  ListenAddress address_;
  TlsServer* tls_;
  std::vector<Endpoint> endpoints_;
  std::vector<Descriptor> sockets_;  // not yet taken; the Unix socket stays
  dev_t file_device_ = 0;            // the file that is ours
  ino_t file_inode_ = 0;
};

}  // namespace apiquota::net
