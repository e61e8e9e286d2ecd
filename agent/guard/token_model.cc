#include "guard/token_model.h"

#include <cmath>

namespace apiquota::guard {

namespace {

constexpr double kWeight = 0.125;  // of the newest, in both averages

void Average(std::optional<double>* average, double value) {
  *average = *average ? **average + kWeight * (value - **average) : value;
}

bool IsCount(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

TokenModel TokenModels::Of(std::string_view resource) const {
  TokenModel model;
  const Learned* learned = models_.Find(resource);
  if (learned == nullptr) return model;
  if (learned->input && learned->bytes) model.tokens_per_byte = *learned->input / *learned->bytes;
  model.output = learned->output.At(90);
  model.median_first_byte = learned->first_byte.At(50);
  return model;
}

void TokenModels::Used(std::string_view resource, size_t text_bytes, const TokenCost& used) {
  Learned& learned = models_.Touch(resource);
  if (text_bytes > 0 && IsCount(used.input) && used.input > 0) {
    Average(&learned.input, used.input);
    Average(&learned.bytes, static_cast<double>(text_bytes));
  }
  if (IsCount(used.output)) learned.output.Add(used.output);
}

void TokenModels::FirstByte(std::string_view resource, Micros after) {
  if (after.count() >= 0) models_.Touch(resource).first_byte.Add(after);
}

}  // namespace apiquota::guard
