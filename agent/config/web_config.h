// exporter-toolkit's web configuration file: TLS, basic authentication, headers and a rate limit for a
// listener. https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
//
// Read strictly, as LoadConfig reads. What is stricter than the toolkit: TLS 1.0 and 1.1 are refused, a
// tls_server_config without a certificate is a mistake, and a rate limit needs a burst. http2 is read and has
// no effect: HTTP/1.1 is spoken.
#pragma once

#include <string>

#include "base/error.h"
#include "config/config.h"
#include "net/options.h"

namespace apiquota::config {

// Relative paths in it start from the file's own directory. Certificates are tried by
// context.check_tls_server. An empty file means nothing is asked for.
Result<net::WebOptions> LoadWebConfig(const std::string& text, const std::string& file,
                                      const LoadContext& context);
Result<net::WebOptions> LoadWebConfigFile(const std::string& file, const LoadContext& context,
                                          std::string_view named = "the web configuration");

// The proxy relays what is the API's own: of a web configuration it can have the TLS alone.
Status CheckForProxy(const net::WebOptions& options);

}  // namespace apiquota::config
