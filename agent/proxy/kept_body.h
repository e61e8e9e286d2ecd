// What of a request's body has been read, kept so that it can be sent later, or once more (docs/guard.md,
// "Retry"). A body is kept up to its own bound, and all of a process together up to theirs; beyond, what has
// been sent is let go of, and what has not is not read any further. One per request; belongs to one loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace apiquota::proxy {

// The memory of all kept bodies of a process. Thread-safe.
class KeptBytes {
 public:
  void Add(size_t bytes) { total_.fetch_add(bytes, std::memory_order_relaxed); }
  void Remove(size_t bytes) { total_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::atomic<size_t> total_{0};
};

struct KeptBodyLimits {
  size_t bytes_max = 0;     // of this body
  size_t together_max = 0;  // of all
};

class KeptBody {
 public:
  // So much is kept of any body that waits, whatever others hold: what comes along with a head.
  static constexpr size_t kAlwaysRead = 16 * 1024;

  explicit KeptBody(KeptBytes& all) : all_(all) {}
  ~KeptBody() { Clear(); }
  KeptBody(const KeptBody&) = delete;
  KeptBody& operator=(const KeptBody&) = delete;

  void Begin(const KeptBodyLimits& limits);
  // More of it, which has not been sent: it is kept in any case.
  void Add(std::span<const std::string_view> slices);
  // More of it, which has been, too: kept as long as all of it fits.
  void AddSent(std::span<const std::string_view> slices);
  // It will not be sent (again).
  void LetGo();
  void Clear();

  bool full() const;                     // no more is to be read before it can be sent
  bool whole() const { return whole_; }  // all that was added is there
  std::string_view bytes() const { return bytes_; }

 private:
  void Append(std::span<const std::string_view> slices);
  void Account();

  KeptBytes& all_;
  KeptBodyLimits limits_;
  std::string bytes_;
  size_t accounted_ = 0;
  bool whole_ = true;
};

}  // namespace apiquota::proxy
