/* LD_PRELOAD for the faults of time and names that no test can wait for. A file, mapped by the program under
 * test and written by the test, says what is wrong at present:
 *   int64 clock_offset: seconds that CLOCK_REALTIME is off
 *   int64 names:        0: every name is 127.0.0.1, 1: look-ups fail at once, 2: those that begin with
 *                     "hang" hang until this changes, 3: they are `address`, and no connection to port 443 is
 *                     made: each attempt is counted and refused
 *   int64 connects:     how many attempts there were
 *   char address[64]
 * Numeric addresses and "localhost" are never touched. The file is named by FAULTS_FILE. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  volatile int64_t clock_offset;
  volatile int64_t names;
  volatile int64_t connects;
  char address[64];
};

static struct faults none;
static struct faults* faults = &none;

__attribute__((constructor)) static void map_faults(void) {
  const char* path = getenv("FAULTS_FILE");
  const int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* page = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) faults = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec* out) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    out->tv_sec += faults->clock_offset;
  return result;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

static int is_name(const char* node) {
  unsigned char address[16];
  return node && strcmp(node, "localhost") != 0 && inet_pton(AF_INET, node, address) != 1 &&
         inet_pton(AF_INET6, node, address) != 1;
}

int getaddrinfo(const char* restrict node, const char* restrict service,
                const struct addrinfo* restrict hints, struct addrinfo** restrict found) {
  static int (*real)(const char*, const char*, const struct addrinfo*, struct addrinfo**);
  if (!real)
    real = (int (*)(const char*, const char*, const struct addrinfo*, struct addrinfo**))dlsym(RTLD_NEXT,
                                                                                               "getaddrinfo");
  if (!is_name(node)) return real(node, service, hints, found);
  if (faults->names == 1) return EAI_AGAIN;
  while (faults->names == 2 && strncmp(node, "hang", 4) == 0) usleep(20000);
  return real(faults->names == 3 ? faults->address : "127.0.0.1", service, hints, found);
}

int connect(int socket, const struct sockaddr* address, socklen_t length) {
  static int (*real)(int, const struct sockaddr*, socklen_t);
  if (!real) real = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
  const int inet = address->sa_family == AF_INET || address->sa_family == AF_INET6;
  // In both families the port is the first thing behind the family.
  if (faults->names != 3 || !inet || ((const struct sockaddr_in*)address)->sin_port != htons(443))
    return real(socket, address, length);
  __atomic_add_fetch(&faults->connects, 1, __ATOMIC_RELAXED);
  errno = ECONNREFUSED;
  return -1;
}
