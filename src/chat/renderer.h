#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "caravel/request.h"
#include "caravel/tokenizer.h"
#include "chat/answers.h"
#include "chat/conversation.h"
#include "chat/prompt.h"
#include "text/chat_template.h"

namespace caravel::chat {

/// Makes a conversation a prompt, by a model's chat template, and knows how the answers to it are read. There is one
/// way to do so, for every front end. Immutable: any thread may call it.
class Renderer {
 public:
  struct Prepared {
    Prompt prompt;
    AnswerLayout layout;
  };

  /// tokenizer: must outlive it. chat_template: Jinja; empty: the model has none, and every conversation is refused.
  /// tool_parser: as for tool_format(). Throws as text::ChatTemplate and tool_format() do.
  explicit Renderer(const Tokenizer& tokenizer, std::string chat_template = {}, std::string_view tool_parser = {});

  /// Throws FieldError: there is no template, it knows no tools and some are given, what it raises, or a final message
  /// that it changes and that is to be continued.
  Prompt render(const Conversation& conversation) const;

  /// The prompt, and how its answers are read. Sets up `sampling` for the tools: a forced call becomes the grammar, and
  /// special tokens are shown where they mark calls. Throws also where a call is forced and `sampling` has a grammar
  /// already, and for a tool's schema that is none.
  Prepared prepare(const Conversation& conversation, SamplingParams& sampling) const;

 private:
  std::string render_text(const Conversation& conversation) const;
  void cut_after_final_message(std::string& text, const Conversation& conversation) const;

  const Tokenizer* tokenizer_;
  std::string source_;
  std::optional<text::ChatTemplate> template_;  // nothing: the model has none
  ToolFormat format_;
};

}  // namespace caravel::chat
