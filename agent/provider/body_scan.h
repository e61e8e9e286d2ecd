// Reads the scalars at a few JSON pointers out of a body that streams past, in constant memory
// (json_reader.h). The relayed bytes are never touched. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "provider/pointer_set.h"

namespace apiquota::provider {

class BodyScanner {
 public:
  // Looks for the pointers of `set` whose bits are in `wanted`. The set must outlive the scanner.
  BodyScanner(const PointerSet& set, uint64_t wanted);
  // A set of its own.
  explicit BodyScanner(const std::vector<std::string>& pointers);
  ~BodyScanner();
  BodyScanner(BodyScanner&&) noexcept;
  BodyScanner& operator=(BodyScanner&&) noexcept;

  // The next bytes. After an error, or once all pointers are found, it only returns.
  void Write(std::string_view bytes);

  // Everything wanted was found, or nothing more can be: no need to feed it further.
  bool Done() const;
  // Not JSON, nested too deep, a value longer than 1 KiB, or more than 32 KiB of them and of the names that
  // their stars stand for.
  bool Failed() const;

  // In document order; of a pointer with stars the first 63 and the last one. Each knows what its stars stood
  // for.
  std::vector<http::BodyValue> TakeValues();
  bool HasValues() const;

  // Another document, for the same pointers.
  void Restart();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::provider
