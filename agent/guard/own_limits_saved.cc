#include "guard/own_limits_saved.h"

namespace apiquota::guard {

void Move(Micros by, SavedOwnLimits* saved) {
  for (SavedOwnLimit& limit : saved->limits) {
    for (SavedUse& use : limit.uses) {
      use.at += by;
      for (auto& [at, amount] : use.sends) at += by;
    }
  }
}

}  // namespace apiquota::guard
