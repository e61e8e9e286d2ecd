// Reads what a person has of exchanges (printed_exchange.h, har.h) as the agent reads what passes it: for
// `explain` and `record`. Not thread-safe.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/printed_exchange.h"
#include "expose/explain.h"
#include "http/exchange.h"
#include "provider/catalogue.h"

namespace apiquota::cli {

// The file; "" and "-" are `in`. At most 64 MiB.
Result<std::string> ReadInput(const std::string& file, std::istream& in);

// One exchange, or the entries of a HAR: never empty. An entry that was never answered has status 0.
Result<std::vector<PrintedExchange>> ParseExchanges(std::string_view text);

class ExchangeReader {
 public:
  struct Options {
    std::string exporter = {};       // empty: by host, else by the headers
    std::string request_url = {};    // of whatever is read; empty: what the input says
    std::string now = {};            // RFC 3339 or seconds since the epoch; empty: as for `received_at`
    std::string exporters_dir = {};  // empty: the embedded exporters alone
    SystemTime clock_now;
  };
  // The first mistake in one sentence.
  static Result<ExchangeReader> For(const Options& options);

  // The time of receipt is --now, else the response's Date, else what the input says, else the clock.
  struct Reading {
    provider::ExporterPtr exporter;
    expose::Explanation explanation;
  };
  Reading Read(const PrintedExchange& printed) const;

 private:
  ExchangeReader() = default;
  Reading Choose(const http::Exchange& exchange) const;

  provider::Catalogue exporters_;
  provider::ExporterPtr named_;  // null: found out
  std::optional<PrintedExchange> requested_;
  std::optional<SystemTime> now_;
  SystemTime clock_now_;
};

}  // namespace apiquota::cli
