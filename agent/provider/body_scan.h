// Reads the scalars at a few JSON pointers out of a body that streams past, in constant memory: a push parser
// over Boost.JSON's basic_parser. The relayed bytes are never touched. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace apiquota::provider {

class BodyScanner {
 public:
  // `pointers` (RFC 6901) must outlive the scanner.
  explicit BodyScanner(const std::vector<std::string>& pointers);
  ~BodyScanner();
  BodyScanner(BodyScanner&&) noexcept;
  BodyScanner& operator=(BodyScanner&&) noexcept;

  // The next bytes. After an error, or once all pointers are found, it only returns.
  void Write(std::string_view bytes);

  // Everything wanted was found, or nothing more can be: no need to feed it further.
  bool Done() const;
  bool Failed() const;  // not JSON, nested too deep, or a value longer than 1 KiB

  std::vector<http::BodyValue> TakeValues();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::provider
