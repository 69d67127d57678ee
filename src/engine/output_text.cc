#include "engine/output_text.h"

#include <algorithm>

namespace caravel::engine {

OutputText::OutputText(const Tokenizer& tokenizer, const Options& options, size_t reserved)
    : detokenizer_(tokenizer, options.skip_special), options_(&options) {
  text_.reserve(reserved);
}

const std::string* OutputText::push(int32_t token, bool may_stop) {
  const size_t before = text_.size();
  detokenizer_.push(token, text_);
  if (!may_stop) searchable_ = text_.size();
  const std::string* found = nullptr;
  size_t found_at = std::string::npos;
  for (const std::string& stop : options_->stop) {
    const size_t begin = std::max(searchable_, before - std::min(before, stop.size() - 1));
    const size_t at = text_.find(stop, begin);
    if (at < found_at) {
      found_at = at;
      found = &stop;
    }
  }
  if (found != nullptr) {
    text_.resize(found_at + (options_->include_stop ? found->size() : 0));
    released_ = text_.size();
  } else {
    released_ = text_.size() - held_back();
  }
  return found;
}

void OutputText::finish() {
  detokenizer_.finish(text_);
  released_ = text_.size();
}

std::string_view OutputText::take() {
  const std::string_view text = std::string_view(text_).substr(taken_, released_ - taken_);
  taken_ = released_;
  return text;
}

size_t OutputText::held_back() const {
  size_t longest = 0;
  const size_t searchable = text_.size() - std::min(searchable_, text_.size());
  for (const std::string& stop : options_->stop) {
    for (size_t length = std::min(stop.size() - 1, searchable); length > longest; --length) {
      if (std::string_view(text_).ends_with(std::string_view(stop).substr(0, length))) longest = length;
    }
  }
  return longest;
}

}  // namespace caravel::engine
