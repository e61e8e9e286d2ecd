// What every TCP connection of the agent is set to. Linux hands a listening socket's options on to those it
// accepts, so they cost an accepted connection nothing.
#pragma once

namespace apiquota::net {

// How much that the peer has no room for yet the kernel may hold of a connection. Left alone it takes
// megabytes of what a slow reader does not read, and a few hundred of those use up what the machine has for
// TCP; and what the kernel takes counts as read (pace.h).
inline constexpr int kKernelUnsentMax = 128 * 1024;

// TCP_NODELAY and TCP_NOTSENT_LOWAT, of a socket that listens or will connect. What a kernel refuses is left
// as it was.
void SetTcpOptions(int fd);

}  // namespace apiquota::net
