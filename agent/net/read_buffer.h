// The bytes a connection has received and nobody has consumed. Small while idle: 2 KiB, growing to
// 32 KiB only when a read fills it, and back again when reads have stayed small, or at Shrink. Beyond that it
// grows for bytes only that wait all the same (a large head), to a limit, and not to read faster. Bytes do
// not move while a read is under way. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace apiquota::net {

class ReadBuffer {
 public:
  static constexpr size_t kSmall = 2 * 1024;
  static constexpr size_t kLarge = 32 * 1024;

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  // The bytes stay where they are until the next Prepare. More than there are is a mistake of ours that would
  // let the next read write anywhere: it ends the program, in every build.
  void Consume(size_t n) {
    if (n > end_ - begin_) std::abort();
    begin_ += n;
  }

  // How many bytes may wait; at least kLarge.
  void SetLimit(size_t bytes) { limit_ = std::max(kLarge, bytes); }

  // Free space for the next read; empty if as many bytes as may are waiting already. Invalidates view().
  std::span<char> Prepare() {
    if (begin_ == end_) begin_ = end_ = 0;
    const size_t waiting = end_ - begin_;
    if (capacity_ < wanted_ || (capacity_ > wanted_ && waiting <= wanted_ / 2)) {
      Reallocate(std::max(wanted_, waiting));
    } else if (begin_ > 0 && capacity_ - end_ < capacity_ / 2) {
      Compact();  // a stream may leave a few bytes behind at every read: they must not look like a full
                  // buffer
    } else if (end_ == capacity_ && capacity_ < limit_) {
      Reallocate(std::min(limit_, capacity_ * 4));
    }
    return {data_.get() + end_, capacity_ - end_};
  }

  void Commit(size_t n) {
    end_ += n;
    if (end_ == capacity_ && n > 0) {
      wanted_ = std::min(kLarge, capacity_ * 4);
      small_reads_ = 0;
    } else if (n <= kSmall && wanted_ > kSmall && ++small_reads_ == kSmallReadsToShrink) {
      wanted_ = kSmall;
      small_reads_ = 0;
    }
  }

  // No read follows for now: gives back the memory, if it is much and nothing waits. Invalidates view(), and
  // what was consumed from it.
  void Rest() {
    if (begin_ != end_ || capacity_ <= kKept) return;
    data_.reset();
    capacity_ = begin_ = end_ = 0;
  }

  // The same, and the next message is expected to be small.
  void Shrink() {
    Rest();
    if (capacity_ != 0) return;
    wanted_ = kSmall;
    small_reads_ = 0;
  }
  size_t capacity() const { return capacity_; }

 private:
  static constexpr size_t kKept =
      4 * kSmall;  // at Rest and Shrink: messages of this size need no new memory each time
  static constexpr int kSmallReadsToShrink = 16;

  void Reallocate(size_t capacity) {
    auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ > begin_) std::memcpy(bigger.get(), data_.get() + begin_, end_ - begin_);
    data_ = std::move(bigger);
    capacity_ = capacity;
    end_ -= begin_;
    begin_ = 0;
  }

  void Compact() {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t wanted_ = kSmall;
  size_t limit_ = kLarge;
  int small_reads_ = 0;
};

}  // namespace apiquota::net
