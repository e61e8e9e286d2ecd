// libcurl appends the secrets of every TLS connection to the file that SSLKEYLOGFILE names: with them, who
// recorded the connection reads the credentials in it.
#pragma once

namespace apiquota::net {

// Takes the variable out of this process's environment, and says so in the log. Call before the first
// HttpClient and before threads that read the environment.
void ForgetKeyLogFile();

}  // namespace apiquota::net
