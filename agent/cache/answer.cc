#include "cache/answer.h"

namespace apiquota::cache {

size_t Answer::bytes() const { return sizeof(Answer) + head.fields.kept_bytes() + body.capacity(); }

}  // namespace apiquota::cache
