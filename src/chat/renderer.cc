#include "chat/renderer.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace caravel::chat {
namespace {

/// The messages with `text` at the end of the system message, which is added where there is none.
Json with_system_text(Json messages, const std::string& text) {
  if (text.empty()) return messages;
  if (messages.front()["role"] != "system") {
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", text}});
    return messages;
  }
  auto& content = messages.front()["content"].get_ref<std::string&>();
  content += (content.empty() ? "" : "\n\n") + text;
  return messages;
}

}  // namespace

Renderer::Renderer(const Tokenizer& tokenizer, std::string chat_template, std::string_view tool_parser)
    : tokenizer_(&tokenizer), source_(std::move(chat_template)), format_(tool_format(source_, tool_parser)) {
  if (!source_.empty()) template_.emplace(source_);
}

Prompt Renderer::render(const Conversation& conversation) const {
  std::string text = render_text(conversation);
  if (conversation.continue_final_message) cut_after_final_message(text, conversation);
  // A template writes the special tokens itself; its own beginning-of-sequence token must not be doubled.
  const std::string_view bos = tokenizer_->bos_text();
  const bool writes_bos = !bos.empty() && text.starts_with(bos);
  return text_prompt(std::move(text), *tokenizer_, conversation.add_special_tokens.value_or(!writes_bos));
}

std::string Renderer::render_text(const Conversation& conversation) const {
  const std::string& path = conversation.path;
  if (!template_) {
    throw bad_field(path,
                    "The model has no chat template: give a prompt instead of messages (to a server, at "
                    "/v1/completions), or start the server with --chat-template.");
  }
  if (conversation.messages.empty()) {
    throw FieldError(path, "empty_array",
                     fmt::format("Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty "
                                 "array instead.",
                                 path));
  }
  if (conversation.tools.choice != ToolChoice::kNone && format_ == ToolFormat::kNone) {
    throw unsupported_field(
        "tools",
        "the model's chat template knows no tools; start the server with --tool-call-parser to name their format");
  }
  const Json& tools = conversation.tools.list;
  text::ChatInput input;
  input.messages = with_system_text(conversation.messages, tool_instructions(format_, source_, tools));
  input.tools = tools;
  input.documents = conversation.documents;
  input.add_generation_prompt = conversation.add_generation_prompt && !conversation.continue_final_message;
  input.kwargs = conversation.kwargs;
  input.bos_token = tokenizer_->bos_text();
  input.eos_token = tokenizer_->eos_text();
  try {
    return template_->render(input);
  } catch (const Error& error) {
    throw bad_field(path, fmt::format("The chat template refuses the messages: {}", error.what()));
  }
}

/// Cuts what the template writes after the last message's content.
void Renderer::cut_after_final_message(std::string& text, const Conversation& conversation) const {
  std::string_view content = conversation.messages.back()["content"].get_ref<const std::string&>();
  while (!content.empty() && (content.back() == ' ' || content.back() == '\n')) content.remove_suffix(1);
  const size_t begin = text.rfind(content);
  if (begin == std::string::npos) {
    throw bad_field(conversation.path, "The chat template changes the final message, so that it cannot be continued.");
  }
  text.resize(begin + content.size());
}

Renderer::Prepared Renderer::prepare(const Conversation& conversation, SamplingParams& sampling) const {
  const Tools& tools = conversation.tools;
  Prepared prepared{.prompt = render(conversation), .layout = {}};
  AnswerLayout& layout = prepared.layout;
  if (tools.choice == ToolChoice::kForced) {
    if (sampling.grammar.kind != GrammarSpec::Kind::kNone) {
      throw bad_field("tool_choice", "A forced tool call cannot be combined with a prescribed form of the answer.");
    }
    try {
      sampling.grammar = forced_call_grammar(format_, tools.forced, tools.parallel);
    } catch (const Error& error) {
      throw bad_field("tools", fmt::format("Invalid 'tools': {}", error.what()));
    }
  }
  if (tools.choice != ToolChoice::kNone) {
    layout.format = format_;
    layout.tools = tools.list;
    layout.single_call = !tools.parallel;
    if (marks_are_special(format_)) sampling.skip_special_tokens = false;
  }
  // A grammar rules from the first token on: such an answer has no reasoning part.
  if (sampling.grammar.kind == GrammarSpec::Kind::kNone) {
    layout.marks = reasoning_marks(source_, prepared.prompt.text.value_or(""));
  }
  return prepared;
}

}  // namespace caravel::chat
