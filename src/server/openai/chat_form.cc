#include "server/openai/chat_form.h"

#include <utility>

namespace caravel::server::openai {

ChatForm make_chat_form(const Context& context, Tools tools, const Prompt& prompt, Generation& generation) {
  SamplingParams& sampling = generation.sampling;
  ChatForm form;
  if (tools.choice == ToolChoice::kForced) {
    if (sampling.grammar.kind != GrammarSpec::Kind::kNone) {
      throw bad_field("tool_choice", "A forced tool call cannot be combined with a prescribed form of the answer.");
    }
    try {
      generation.prescribe({.grammar = chat::forced_call_grammar(context.tool_format, tools.forced, tools.parallel),
                            .field = "tools"});
    } catch (const Error& error) {
      throw bad_field("tools", fmt::format("Invalid 'tools': {}", error.what()));
    }
  }
  if (tools.choice != ToolChoice::kNone) {
    form.format = context.tool_format;
    if (chat::marks_are_special(form.format)) sampling.skip_special_tokens = false;
  }
  // A grammar rules from the first token on: such an answer has no reasoning part.
  if (sampling.grammar.kind == GrammarSpec::Kind::kNone) {
    form.marks = chat::reasoning_marks(context.chat_template_source, prompt.text.value_or(""));
  }
  form.tools = std::move(tools);
  return form;
}

}  // namespace caravel::server::openai
