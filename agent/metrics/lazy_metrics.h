// An api's metrics, made with its first request: without a configuration every exporter with a base URL is an
// api, most of them are never used, and a page of a hundred series for each would only cost scrapes.
// Thread-safe once it knows how to make them; they live as long as it does.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "metrics/api_metrics.h"

namespace apiquota::metrics {

class LazyMetrics {
 public:
  using Make = std::function<std::unique_ptr<ApiMetrics>()>;

  void MakeWith(Make make) { make_ = std::move(make); }

  // REQUIRES: MakeWith.
  ApiMetrics& operator*() const {
    std::call_once(once_, [this] { metrics_ = make_(); });
    return *metrics_;
  }
  ApiMetrics* operator->() const { return &**this; }

 private:
  Make make_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<ApiMetrics> metrics_;
};

}  // namespace apiquota::metrics
