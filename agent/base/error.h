// How rooms report what went wrong in the world outside: values, never exceptions.
//
// An Error is one sentence for a person: what happened and, for input, what was expected.
// Invariants of ours are asserts, not Errors. Exceptions of libraries are caught where the library
// is called and become Errors there.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace apiquota {

struct Error {
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

using Status = std::expected<void, Error>;

inline std::unexpected<Error> Fail(std::string message) {
  return std::unexpected<Error>(Error{std::move(message)});
}

}  // namespace apiquota
