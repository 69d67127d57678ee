#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/request.h"
#include "caravel/result.h"
#include "fields/json.h"

namespace caravel::chat {

/// How a model spells tool calls in its text.
enum class ToolFormat : uint8_t {
  kNone,      // no tools are offered
  kHermes,    // <tool_call>{"name": ..., "arguments": {...}}</tool_call>: Hermes, Qwen 2.5, Qwen 3
  kLlama3,    // {"name": ..., "parameters": {...}}, or <|python_tag|> before it: Llama 3.1, 3.2
  kMistral,   // [TOOL_CALLS][{"name": ..., "arguments": {...}}, ...]: Mistral 7B v0.3, Nemo; name[ARGS]{...}: Small 3,
              // Ministral 3
  kGemma,     // ```tool_code or ```json with name and parameters: Gemma 3
  kHarmony,   // messages in channels, to=functions.name: gpt-oss
  kDeepSeek,  // <｜tool▁calls▁begin｜>...: DeepSeek R1, V3, V3.1
  kGlm,       // <tool_call>name with <arg_key> and <arg_value>: GLM-4.5 and later
  kMiniMax,   // <minimax:tool_call> with <invoke> and <parameter>: MiniMax-M2
  kQwen,      // <tool_call> with <function=name> and <parameter=key>: Qwen3-Coder
  kGranite,   // <|tool_call|>[{"name": ..., "arguments": {...}}, ...]: Granite 3
  kPhi,       // the same, closed by <|/tool_call|>, or behind functools: Phi-4-mini
  kOlmo,      // <function_calls>name(key=value)</function_calls>: OLMo 3
  kGeneral,   // Hermes's form, for a model whose template has none that is known: it is told of tools and form
};

/// What the chat template says of itself: kGeneral where it never mentions tools, or mentions a format that is none of
/// these; kGemma for Gemma's, whose official template mentions none. `name` overrides it: one of tool_format_names();
/// throws InvalidArgument for another. Empty: from the template.
ToolFormat tool_format(std::string_view chat_template, std::string_view name = {});

/// What --tool-call-parser may say: the formats, and "none".
std::vector<std::string> tool_format_names();

/// The marks of calls (<tool_call>, [TOOL_CALLS]). Where a vocabulary has one as a special token, an answer that may
/// hold calls has to be asked for with skip_special_tokens off, or the parser never sees it.
std::span<const std::string_view> call_marks(ToolFormat format);

/// What tells a model of its tools, and how to call them, where its chat template does not (Gemma 3's has no place for
/// them) or is not asked to (kGeneral): text for the end of the system message. Empty where the template takes tools,
/// and for kNone or no tools.
std::string tool_instructions(ToolFormat format, std::string_view chat_template, const Json& tools);

/// The marks of a reasoning part, such as <think> and </think>; empty where the template has none. in_channels: those
/// of a message's header, which says whether its body is reasoning (harmony).
struct ReasoningMarks {
  std::string begin;
  std::string end;
  bool opened_by_template = false;  // the generation prompt ends with `begin`: the answer starts inside
  bool in_channels = false;
};
/// prompt: the rendered conversation, for opened_by_template.
ReasoningMarks reasoning_marks(std::string_view chat_template, std::string_view prompt);

/// Takes an answer apart as it streams. What may yet become a mark waits; so joined pieces do not depend on how the
/// text was cut. Text that only looks like a call (no JSON, a name that no tool has, cut off before its arguments
/// begin) comes out as content, whole. A call is announced when its name is known and its arguments begin, which then
/// stream as the model writes them: an answer cut within them leaves a call with a beginning of arguments, as OpenAI's
/// do. White space next to calls and marks is dropped. A piece ends inside a UTF-8 character only where a text that was
/// fed did.
class OutputParser {
 public:
  virtual ~OutputParser() = default;
  virtual std::vector<Piece> feed(std::string_view text) = 0;
  /// The answer is complete.
  virtual std::vector<Piece> finish() = 0;
};
/// tools: OpenAI's list ([{"type": "function", "function": {"name", "parameters"}}]) or null: then no calls are looked
/// for. marks: empty ones where a grammar holds the answer from its first token on, which leaves no room for reasoning.
std::unique_ptr<OutputParser> make_output_parser(ToolFormat format, const Json& tools, const ReasoningMarks& marks);

/// What forces calls: a kGbnf grammar whose every text the parser of that format takes for one call (or, with
/// `parallel`, one or more) of `tools`, arguments fitting their schema (GrammarSpec::schemas: what they hold that
/// cannot be enforced is found when they are compiled). Throws InvalidArgument where there is no tool to call or
/// `parameters` is no schema of an object, Unsupported for kNone.
GrammarSpec forced_call_grammar(ToolFormat format, const Json& tools, bool parallel);

}  // namespace caravel::chat
