// Which POSTs are remembered.
#include <gtest/gtest.h>

#include "proxy/cache_question.h"

namespace apiquota::proxy {
namespace {

TEST(RememberedPostTest, APathIsTheSameInWhateverSpelling) {
  guard::CacheOptions options;
  options.post = {{.path = "/v1/embeddings", .ttl = std::chrono::hours(1)},
                  {.path = "/v2/*", .ttl = std::chrono::hours(2)}};
  for (const char* path : {"/v1/embeddings", "/v1/%65mbeddings", "/v1//embeddings", "/x/../v1/embeddings"})
    EXPECT_EQ(RememberedPost(options, path), options.post.data()) << path;
  EXPECT_EQ(RememberedPost(options, "/v2/rerank"), &options.post[1]);
  for (const char* path : {"/v2/..%2Forders", "/v2/%2e%2e/orders", "/v1/embeddings/", "/v3/x"})
    EXPECT_EQ(RememberedPost(options, path), nullptr) << path;
}

}  // namespace
}  // namespace apiquota::proxy
