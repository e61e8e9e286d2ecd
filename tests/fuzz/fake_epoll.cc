// The fake kernel's epoll: who watches what, edges and levels.
#include <algorithm>
#include <cerrno>

#include "tests/fuzz/fake_kernel.h"

namespace apiquota::fuzz {
namespace {

void Forget(EpollItem* item) { std::erase(item->owner.ready, item); }

}  // namespace

File::~File() {
  for (EpollItem* item : watchers) {  // closing takes a descriptor out of every epoll set
    Forget(item);
    item->owner.items.erase(item->fd);
  }
}

void File::Wake(uint32_t key) {
  for (EpollItem* item : watchers) {
    const uint32_t wanted = item->event.events | EPOLLERR | EPOLLHUP;
    if (key == 0 || (key & wanted) != 0) item->Queue();
  }
}

void EpollItem::Queue() {
  if (std::exchange(queued, true)) return;
  owner.ready.push_back(this);
}

EpollFile::~EpollFile() {
  for (const auto& [fd, item] : items) std::erase(item->file.watchers, item.get());
}

int EpollFile::Control(int operation, int fd, File& file, const epoll_event* event) {
  const auto found = items.find(fd);
  if (operation == EPOLL_CTL_ADD) {
    if (found != items.end()) return -EEXIST;
    auto item = std::make_unique<EpollItem>(*this, fd, file, *event);
    file.watchers.push_back(item.get());
    if ((file.Poll() & (event->events | EPOLLERR | EPOLLHUP)) != 0) item->Queue();
    items.emplace(fd, std::move(item));
    return 0;
  }
  if (found == items.end()) return -ENOENT;
  if (operation == EPOLL_CTL_MOD) {
    found->second->event = *event;
    if ((file.Poll() & (event->events | EPOLLERR | EPOLLHUP)) != 0) found->second->Queue();
    return 0;
  }
  Forget(found->second.get());
  std::erase(file.watchers, found->second.get());
  items.erase(found);
  return 0;
}

int EpollFile::Wait(epoll_event* events, int max) {
  int told = 0;
  for (size_t left = ready.size(); left > 0 && told < max; --left) {
    EpollItem* item = ready.front();
    ready.pop_front();
    item->queued = false;
    const uint32_t mask = item->file.Poll() & (item->event.events | EPOLLERR | EPOLLHUP);
    if (mask == 0) continue;
    events[told++] = {.events = mask, .data = item->event.data};
    if ((item->event.events & EPOLLET) == 0) item->Queue();  // a level: looked at again
  }
  return told;
}

}  // namespace apiquota::fuzz
