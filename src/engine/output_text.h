#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/tokenizer.h"

namespace caravel::engine {

/// An answer's text as it grows: detokenized token by token, searched for stop strings, which may lie across tokens,
/// and released only where it can no longer become part of one. So streamed and whole answers are the same.
class OutputText {
 public:
  struct Options {
    bool skip_special = true;
    std::vector<std::string> stop;  // none empty
    bool include_stop = false;
  };
  /// `options` must outlive it; reserved: bytes of text.
  OutputText(const Tokenizer& tokenizer, const Options& options, size_t reserved);

  /// One more token. `may_stop`: stop strings count that begin in its text or later; once true, always true. Returns
  /// the stop string that ended the text, if one did: nullptr otherwise.
  const std::string* push(int32_t token, bool may_stop);
  /// The end without a stop string: releases everything, bytes of an unfinished character as U+FFFD.
  void finish();

  /// What can be shown and has not been taken yet; valid until the next push().
  std::string_view take();

 private:
  /// Bytes at the end of the text that may be the beginning of a stop string.
  size_t held_back() const;

  Detokenizer detokenizer_;
  const Options* options_;
  std::string text_;
  size_t searchable_ = 0;  // stop strings may begin from here on
  size_t released_ = 0;
  size_t taken_ = 0;
};

}  // namespace caravel::engine
