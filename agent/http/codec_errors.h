// What basic_parser's errors about a head are called here. Internal to codec_reader.h.
#pragma once

#include <boost/beast/http/error.hpp>

#include "http/codec.h"

namespace apiquota::http {

inline constexpr Refusal kBadFieldName{400, "field_name", "a field name that is not a token"};

inline Refusal HeadRefusal(const boost::beast::error_code& ec, bool of_request) {
  using Error = boost::beast::http::error;
  if (ec == Error::bad_field) return kBadFieldName;
  if (ec == Error::bad_content_length || ec == Error::multiple_content_length) {
    return {400, "content_length", "Content-Length is not one plain number"};
  }
  if (ec == Error::bad_transfer_encoding) {
    return {400, "transfer_encoding", "Transfer-Encoding repeated, or beside Content-Length"};
  }
  if (of_request) return {400, "request_line", "not METHOD SP target SP HTTP/1.1"};
  return {502, "status_line", "not HTTP/1.1 SP status SP reason"};
}

}  // namespace apiquota::http
