#include "chat/renderer.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "chat/call_ids.h"
#include "chat/continuation.h"
#include "chat/harmony.h"
#include "chat/hidden_marks.h"
#include "chat/message_shape.h"
#include "chat/template_probe.h"
#include "chat/tool_syntax.h"
#include "fields/empty_array.h"

namespace caravel::chat {
namespace {

/// Tools without a description with an empty one; null stays null.
Json with_descriptions(Json tools) {
  if (!tools.is_array()) return tools;
  for (Json& tool : tools) tool["function"].emplace("description", "");
  return tools;
}

}  // namespace

Renderer::Renderer(const Tokenizer& tokenizer, std::string chat_template, std::string_view tool_parser,
                   std::string tool_use, std::string_view traits)
    : tokenizer_(&tokenizer),
      default_(
          make_template(std::move(chat_template), tool_parser, traits, tokenizer.bos_text(), tokenizer.eos_text())) {
  if (tool_use.empty()) return;
  tool_use_ = make_template(std::move(tool_use), tool_parser, traits, tokenizer.bos_text(), tokenizer.eos_text());
}

Renderer::Renderer(const Tokenizer& tokenizer, const ModelInfo& model)
    : Renderer(tokenizer, model.chat_template, model.tool_call_parser, model.tool_use_template,
               model.chat_template_traits) {
  if (is_encoder(model)) {
    refusal_ = fmt::format(
        "{} is an encoder: it makes embeddings alone (caravel embed, or /v1/embeddings of a server).", model.name);
  } else if (!model.chat_template_error.empty()) {
    refusal_ = fmt::format(
        "The model's chat template cannot be used: {}. Give a prompt instead of messages "
        "(caravel generate, or /v1/completions of a server), or --chat-template.",
        model.chat_template_error);
  }
}

Renderer::Template Renderer::make_template(std::string source, std::string_view tool_parser, std::string_view traits,
                                           std::string_view bos, std::string_view eos) {
  Template made{.source = std::move(source)};
  made.format = tool_format(made.source, tool_parser);
  if (!made.source.empty()) {
    made.jinja.emplace(made.source);
    made.traits = probe_template(*made.jinja, made.source, std::string(bos), std::string(eos));
  }
  made.traits.override_with(traits);
  return made;
}

const Renderer::Template& Renderer::template_for(const Conversation& conversation) const {
  return tool_use_ && !conversation.tools.list.is_null() ? *tool_use_ : default_;
}

std::vector<Decision> Renderer::describe(const ModelInfo& model, std::string_view bos, std::string_view eos) {
  const auto made = [&](const std::string& source) {
    return make_template(source, model.tool_call_parser, model.chat_template_traits, bos, eos);
  };
  std::optional<Template> tool_use;
  if (!model.tool_use_template.empty()) tool_use = made(model.tool_use_template);
  return describe(made(model.chat_template), tool_use);
}

std::vector<Decision> Renderer::describe(const Template& usual, const std::optional<Template>& tool_use) {
  std::vector<Decision> decisions;
  const auto add = [&decisions](const Template& shown, const std::string& prefix) {
    for (auto& [name, value] : shown.traits.describe()) {
      decisions.push_back({prefix + name, std::move(value), "what the template makes of small conversations",
                           "--chat-template-traits"});
    }
  };
  if (usual.jinja) add(usual, "");
  if (tool_use) {
    const ToolSyntax* const syntax = find_syntax(tool_use->format);
    decisions.push_back({"tool_use: tool format", syntax == nullptr ? "none" : std::string(syntax->name),
                         "what that template says of calls", "--tool-call-parser"});
    add(*tool_use, "tool_use: ");
  }
  return decisions;
}

Prompt Renderer::render(const Conversation& conversation, const std::optional<PromptRoom>& room) const {
  return render(conversation, room, "");
}

Prompt Renderer::render(const Conversation& conversation, const std::optional<PromptRoom>& room,
                        std::string_view header) const {
  std::string text = render_text(conversation).append(header);
  if (room) check_room(text, *room, conversation.path, *tokenizer_);
  return chat_prompt(std::move(text), *tokenizer_, conversation.add_special_tokens.value_or(false));
}

std::string Renderer::render_text(const Conversation& conversation) const {
  const std::string& path = conversation.path;
  if (!refusal_.empty()) throw bad_field(path, refusal_);
  const Template& used = template_for(conversation);
  if (!used.jinja) {
    throw bad_field(path,
                    "The model has no chat template: give a prompt instead of messages (caravel generate, or "
                    "/v1/completions of a server), or --chat-template.");
  }
  if (conversation.messages.empty()) {
    throw empty_array(path);
  }
  if (conversation.tools.choice != ToolChoice::kNone && used.format == ToolFormat::kNone) {
    throw unsupported_field("tools", "no tools are offered to the model: --tool-call-parser is none");
  }
  const Json& tools = conversation.tools.list;
  TemplateTraits traits = used.traits;
  std::string instructions = tool_instructions(used.format, used.source, tools);
  text::ChatInput input;
  if (used.format != ToolFormat::kGeneral) {
    input.tools = tools;
  } else if (!tools.is_null() && traits.shows_tools && !says(used.source, "call")) {
    // The template tells of the tools itself, and of no form of calls that the general one would contradict.
    input.tools = tools;
    instructions.clear();
  } else if (tools.is_null() ? !says(used.source, "tool") : traits.shows_tools || !traits.shows_calls) {
    // The instructions alone tell of tools and the form of calls; one of the template's own would contradict them.
    traits.shows_calls = traits.shows_results = false;
  }
  input.messages = shape_messages(conversation.messages, instructions, traits, used.format);
  if (input.tools.is_array() && traits.tools == TemplateTraits::Tools::kInSystem) {
    give_tools_in_system(input.messages, input.tools);
  }
  input.messages = fit_call_ids(std::move(input.messages), call_id_length(used.format, used.source));
  input.documents = conversation.documents;
  input.add_generation_prompt = conversation.add_generation_prompt && !conversation.continue_final_message;
  input.kwargs = conversation.kwargs;
  if (input.tools.is_array() && traits.tools == TemplateTraits::Tools::kXmlTools &&
      !input.kwargs.contains("xml_tools") && !input.kwargs.contains("python_tools")) {
    input.kwargs["xml_tools"] = input.tools;
  }
  input.bos_token = tokenizer_->bos_text();
  input.eos_token = tokenizer_->eos_text();
  std::optional<Continuation> continuation;
  try {
    if (conversation.continue_final_message) continuation.emplace(input.messages);
  } catch (const InvalidArgument& error) {
    throw bad_field(path, error.what());
  }
  std::string prompt;
  try {
    prompt = used.jinja->render(input);
  } catch (const Error& error) {
    // OpenAI's API does not ask for descriptions of tools, and gpt-oss' template does.
    if (Json described = with_descriptions(tools); described != tools) {
      Conversation again = conversation;
      again.tools.list = std::move(described);
      try {
        return render_text(again);
      } catch (const Error&) {  // it was not for want of them: the first says what it is
      }
    }
    throw bad_field(path, fmt::format("The chat template refuses the messages: {}", error.what()));
  }
  try {
    if (continuation) continuation->cut(prompt);
  } catch (const InvalidArgument& error) {
    throw bad_field(path, error.what());
  }
  return prompt;
}

Renderer::Prepared Renderer::prepare(const Conversation& conversation, SamplingParams& sampling,
                                     const std::optional<PromptRoom>& room) const {
  const Tools& tools = conversation.tools;
  Prepared prepared;
  AnswerLayout& layout = prepared.layout;
  const Template& used = template_for(conversation);
  const bool in_final_channel = sampling.grammar.kind != GrammarSpec::Kind::kNone && has_channels(used.source) &&
                                !conversation.continue_final_message;
  prepared.prompt = render(conversation, room, in_final_channel ? kFinalHeader : "");
  if (tools.choice == ToolChoice::kForced) {
    if (sampling.grammar.kind != GrammarSpec::Kind::kNone) {
      throw bad_field("tool_choice", "A forced tool call cannot be combined with a prescribed form of the answer.");
    }
    try {
      sampling.grammar = forced_call_grammar(used.format, tools.forced, tools.parallel);
      layout.forced = tools.forced_schemas;
    } catch (const Error& error) {
      if (const auto field = about_tool(error, tools.forced_schemas)) throw *field;
      throw bad_field("tools", fmt::format("Invalid 'tools': {}", error.what()));
    }
  }
  if (tools.choice != ToolChoice::kNone) {
    layout.format = used.format;
    layout.tools = tools.list;
    layout.single_call = !tools.parallel;
    layout.calls_alone = tools.choice == ToolChoice::kForced;
    layout.call_id_length = call_id_length(used.format, used.source);
  }
  // A grammar rules from the first token on: such an answer has no reasoning part.
  if (sampling.grammar.kind == GrammarSpec::Kind::kNone) {
    layout.marks = reasoning_marks(used.source, prepared.prompt.text.value_or(""));
  }
  if (hides_marks(*tokenizer_, layout)) sampling.skip_special_tokens = false;
  return prepared;
}

}  // namespace caravel::chat
