// gzip for whole bodies (RFC 1952), for answers of our own.
#pragma once

#include <string>
#include <string_view>

namespace apiquota::net {

std::string Gzip(std::string_view text);

// Whether an Accept-Encoding field (RFC 9110 12.5.3) takes gzip.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace apiquota::net
