#include "proxy/filled_body.h"

#include <utility>

namespace apiquota::proxy {

void FilledBody::Begin(KeptBytes& all, const Limits& limits) {
  Clear();
  all_ = &all;
  limits_ = limits;
}

bool FilledBody::Add(std::span<const std::string_view> slices) {
  size_t more = 0;
  for (const std::string_view slice : slices) more += slice.size();
  if (more == 0) return true;
  if (bytes_.size() + more > limits_.bytes_max || all_->total() + more > limits_.together_max) return false;
  Append(slices);
  if (!behind_) sent_ = bytes_.size();
  return true;
}

void FilledBody::AddUnsent(std::span<const std::string_view> slices) { Append(slices); }

void FilledBody::Append(std::span<const std::string_view> slices) {
  for (const std::string_view slice : slices) bytes_.append(slice);
  Account();
}

void FilledBody::LetGo() {
  bytes_.erase(0, sent_);
  sent_ = 0;
  bytes_.shrink_to_fit();
  Account();
  if (all_ != nullptr) all_->Remove(std::exchange(accounted_, 0));
  all_ = nullptr;
}

// Strings grow ahead of their contents; what is kept for long does not.
std::string FilledBody::Take() {
  std::string body = std::exchange(bytes_, {});
  body.shrink_to_fit();
  if (all_ != nullptr) all_->Remove(std::exchange(accounted_, 0));
  all_ = nullptr;
  return body;
}

void FilledBody::Read(cache::AnswerPtr answer, std::string_view body, size_t at) {
  answer_ = std::move(answer);
  body_ = body;
  sent_ = at;
  behind_ = whole_ = true;
}

std::string_view FilledBody::Next(size_t most, bool* last) {
  const std::string_view text = answer_ ? body_ : std::string_view(bytes_);
  const std::string_view piece = text.substr(sent_, most);
  sent_ += piece.size();
  *last = whole_ && sent_ == text.size();
  if (!piece.empty() || *last) return piece;
  behind_ = false;
  if (all_ == nullptr) {
    std::string().swap(bytes_);
    sent_ = 0;
  }
  return {};
}

void FilledBody::Clear() {
  if (all_ != nullptr) all_->Remove(accounted_);
  all_ = nullptr;
  accounted_ = sent_ = 0;
  std::string().swap(bytes_);
  answer_.reset();
  body_ = {};
  behind_ = whole_ = false;
}

void FilledBody::Account() {
  if (all_ == nullptr) return;
  const size_t taken = bytes_.capacity();
  if (taken > accounted_) all_->Add(taken - accounted_);
  if (taken < accounted_) all_->Remove(accounted_ - taken);
  accounted_ = taken;
}

}  // namespace apiquota::proxy
