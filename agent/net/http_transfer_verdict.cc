// What became of a request: libcurl's results as the reasons both doors share.
#include "net/connect_end.h"
#include "net/descriptor_reserve.h"
#include "net/http_transfer.h"

namespace apiquota::net {

ClientError HttpTransfer::TimedOutIn() const {
  if (connected_) return head_whole_ ? ClientError::kIdleTimeout : ClientError::kFirstByteTimeout;
  curl_off_t named = 0;
  curl_off_t opened = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NAMELOOKUP_TIME_T, &named);
  curl_easy_getinfo(easy_.get(), CURLINFO_CONNECT_TIME_T, &opened);
  if (opened > 0) return ClientError::kTlsTimeout;
  return named > 0 ? ClientError::kConnectTimeout : ClientError::kDnsTimeout;
}

// Of several addresses the last that was tried.
ClientError HttpTransfer::NotConnected() const {
  if (forbidden_) return ClientError::kForbidden;
  long error = socket_error_;
  if (error == 0) curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &error);
  const StreamEnd end = ConnectEnd(static_cast<int>(error), v6_);
  if (end == StreamEnd::kLocalLimit) return ClientError::kLocalLimit;
  if (!request_.unix_socket.empty()) return ClientError::kRefused;
  if (end == StreamEnd::kUnreachable) return ClientError::kUnreachable;
  return end == StreamEnd::kConnectTimeout ? ClientError::kConnectTimeout : ClientError::kRefused;
}

std::optional<ClientError> HttpTransfer::Judge(CURLcode code) const {
  if (result_.refusal) return ClientError::kBadResponse;
  switch (code) {
    case CURLE_OK:
      if (length_ && !BodyIsOver()) return ClientError::kTruncated;
      return head_whole_ ? std::nullopt : std::optional(ClientError::kBadResponse);
    case CURLE_COULDNT_RESOLVE_HOST:
      return NoDescriptorIsLeft() ? ClientError::kLocalLimit : ClientError::kDns;
    case CURLE_COULDNT_CONNECT:
      return NotConnected();
    case CURLE_ABORTED_BY_CALLBACK:
      if (lost_) return ClientError::kClosedEarly;
      return forbidden_ ? ClientError::kForbidden : ClientError::kRefused;
    case CURLE_OPERATION_TIMEDOUT:
      return TimedOutIn();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return ClientError::kCertificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return ClientError::kHandshake;
    case CURLE_WRITE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      // The head was read whole; only the body is not.
      return head_whole_ ? std::nullopt : std::optional(ClientError::kBadResponse);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return head_whole_ ? ClientError::kTruncated : ClientError::kClosedEarly;
    default:
      return connected_ ? ClientError::kBadResponse : ClientError::kRefused;
  }
}

}  // namespace apiquota::net
