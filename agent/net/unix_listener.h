// Listening at a path of the file system. Internal to ListenGroup.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/descriptor.h"
#include "base/error.h"

namespace apiquota::net {

// The socket's file can be used by its owner and group (0660) from the moment it exists. One that nobody
// listens at any more is replaced; Error, one sentence, if somebody does or if it is no socket. Not blocking.
// *device and *inode say which file it is.
Result<Descriptor> ListenAtPath(const std::string& path, int backlog, dev_t* device, ino_t* inode);

// Unless another process has put its own there.
void RemoveSocketFile(const std::string& path, dev_t device, ino_t inode);

}  // namespace apiquota::net
