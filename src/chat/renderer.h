#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caravel/engine.h"
#include "caravel/request.h"
#include "caravel/tokenizer.h"
#include "chat/answers.h"
#include "chat/conversation.h"
#include "chat/prompt.h"
#include "chat/template_traits.h"
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
  /// tool_parser: as for tool_format(). tool_use: Jinja for conversations with tools; empty: they have no template of
  /// their own. traits: as for TemplateTraits::override_with(). Throws as text::ChatTemplate, tool_format() and
  /// override_with() do.
  explicit Renderer(const Tokenizer& tokenizer, std::string chat_template = {}, std::string_view tool_parser = {},
                    std::string tool_use = {}, std::string_view traits = {});
  /// By what an engine says of its model: where its template cannot be used, or it is an encoder, refusals say so.
  Renderer(const Tokenizer& tokenizer, const ModelInfo& model);

  /// Throws FieldError: there is no template, tools are given and the parser is "none", what it raises, or a final
  /// message that it changes and that is to be continued. room: what surely has no room is refused before it is
  /// tokenized; nothing: any length is taken.
  Prompt render(const Conversation& conversation, const std::optional<PromptRoom>& room = {}) const;

  /// The prompt, and how its answers are read. Sets up `sampling` for the tools: a forced call becomes the grammar, and
  /// special tokens are shown where they mark calls or reasoning. Throws also where a call is forced and `sampling` has
  /// a grammar already, and for a tool's schema that is none.
  Prepared prepare(const Conversation& conversation, SamplingParams& sampling,
                   const std::optional<PromptRoom>& room = {}) const;

  /// What was found out about every template that there is.
  std::vector<Decision> describe() const { return describe(default_, tool_use_); }
  /// The same without a tokenizer, of which bos and eos are the texts. Throws as the constructor does.
  static std::vector<Decision> describe(const ModelInfo& model, std::string_view bos, std::string_view eos);

 private:
  /// A template, and what was found out about it.
  struct Template {
    std::string source;
    ToolFormat format = ToolFormat::kNone;
    std::optional<text::ChatTemplate> jinja = std::nullopt;  // nothing: the model has none
    TemplateTraits traits = {};
  };

  static Template make_template(std::string source, std::string_view tool_parser, std::string_view traits,
                                std::string_view bos, std::string_view eos);
  static std::vector<Decision> describe(const Template& usual, const std::optional<Template>& tool_use);
  /// As transformers chooses: "tool_use" where tools are given, "default" else.
  const Template& template_for(const Conversation& conversation) const;
  std::string render_text(const Conversation& conversation) const;
  /// header: of the answer, which goes behind the prompt.
  Prompt render(const Conversation& conversation, const std::optional<PromptRoom>& room, std::string_view header) const;

  const Tokenizer* tokenizer_;
  Template default_;
  std::optional<Template> tool_use_;
  std::string refusal_;  // of every conversation, where the model has a template that cannot be used or is an encoder
};

}  // namespace caravel::chat
