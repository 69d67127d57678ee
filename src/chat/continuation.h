#pragma once

#include <string>

#include "fields/json.h"

namespace caravel::chat {

/// Ends a prompt where the content of the conversation's last message ends, as transformers does: a mark stands behind
/// the content while it is rendered, so that it does not matter what the content is and what the template writes after
/// it. Where a template trims the content, its end is trimmed in the prompt too.
class Continuation {
 public:
  /// Puts the mark behind the last message's content: its text, or the last of its parts. messages: shaped. Throws
  /// InvalidArgument where there is no content to continue.
  explicit Continuation(Json& messages);

  /// Cuts the rendered prompt. Throws InvalidArgument where the content is not in it.
  void cut(std::string& prompt) const;

 private:
  std::string content_;
};

}  // namespace caravel::chat
