#include "proxy/admission.h"

#include <gtest/gtest.h>

namespace apiquota::proxy {
namespace {

bool Allowed(const std::string& target, const std::string& host) {
  http::RequestHead head;
  head.target = target;
  head.host = host;
  return HostAllowed(net::HostNames({"127.0.0.1", 4290}, {"agent.internal"}), 4290, head);
}

TEST(AdmissionTest, AnAbsoluteFormTargetForAnotherServiceOfThisMachineIsNotOurs) {
  for (const char* authority : {"localhost:8080", "127.0.0.1:80", "[::1]:4291", "agent.internal:443",
                                "localhost:42900", "localhost:99999999999999999999", "evil.example:4290"}) {
    EXPECT_FALSE(Allowed(std::string("http://") + authority + "/openai/v1", "localhost")) << authority;
  }
}

TEST(AdmissionTest, OneForThisListenerIsTakenWithItsPortOrWithout) {
  for (const char* authority : {"localhost:4290", "127.0.0.1:4290", "[::1]:4290", "[::1]",
                                "agent.internal:4290", "localhost", "localhost:"}) {
    EXPECT_TRUE(Allowed(std::string("http://") + authority + "/openai/v1", "localhost")) << authority;
  }
}

TEST(AdmissionTest, AHostFieldMayNameTheMappedPortItsClientReachesUsBy) {
  EXPECT_TRUE(Allowed("/openai/v1", "localhost:8080"));
  EXPECT_TRUE(Allowed("http://localhost:4290/openai/v1", "localhost:8080"));
  EXPECT_FALSE(Allowed("/openai/v1", "evil.example:4290"));
}

}  // namespace
}  // namespace apiquota::proxy
