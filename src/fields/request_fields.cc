// The table of fields. A row with a member of SamplingParams needs nothing else to be read, checked, defaulted,
// described and documented on its surfaces; one without is read by its endpoint.
#include "fields/request_field.h"

namespace caravel {
namespace {

using P = SamplingParams;
using D = GenerationDefaults;
using enum Surface;
using enum FieldType;
using enum FieldUse;

constexpr double kMostInt = std::numeric_limits<int>::max();
constexpr double kLeastInt = std::numeric_limits<int>::min();
constexpr double kMostFloat = std::numeric_limits<float>::max();
constexpr size_t kMaxStops = 64;      // every step looks for all of them
constexpr double kMaxLogprobs = 128;  // the sampler's
constexpr double kMaxBeamWidth = 32;

constexpr Surfaces kLocal = kRows | kCommandLine;
constexpr Surfaces kSampling = kGenerating | kLocal;
constexpr Surfaces kChoices = kCompletions | kChat;          // several answers, beams
constexpr Surfaces kFormed = kChoices | kResponses | kRows;  // answers of a prescribed form
constexpr Surfaces kTemplated = kChat | kTokenize | kRows;   // a conversation, in the form of /v1/chat/completions
constexpr Surfaces kTurns = kMessages | kCountTokens;

constexpr std::string_view kAnyObject = R"({"type": ["object", "null"], "additionalProperties": true})";
constexpr std::string_view kAnyObjects =
    R"({"type": ["array", "null"], "items": {"type": "object", "additionalProperties": true}})";
constexpr std::string_view kAnySchema =
    R"({"type": ["object", "string", "boolean", "null"], "additionalProperties": true})";
constexpr std::string_view kPrompts = R"({"anyOf": [{"type": "string"},
  {"type": "array", "minItems": 1, "items": {"type": "string"}}, {"$ref": "#/components/schemas/TokenIds"},
  {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/TokenIds"}}]})";
constexpr std::string_view kPrompt = R"({"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"}]})";
constexpr std::string_view kChatMessages =
    R"({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ChatMessage"}})";
constexpr std::string_view kChatTools =
    R"({"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}})";
constexpr std::string_view kKeepsNothing = "this server keeps no responses; send the whole conversation as input";

// A row reads as a sentence; one line for each of its members would hide the table.
// clang-format off
constexpr RequestField kFields[] = {
    // -- What the answer is made of, and for whom.
    {.name = "model", .surfaces = kHttp, .type = kText, .help = "One of `/v1/models`; by default the first"},
    {.name = "model", .surfaces = kRows, .type = kText, .use = kIgnored},
    {.name = "id", .surfaces = kRows, .help = "Stands in the row's answers; by default the line's number",
     .schema = R"({"type": ["string", "integer", "null"]})"},
    {.name = "prompt", .surfaces = kCompletions, .help = "What to go on with: one prompt or up to 2048",
     .schema = kPrompts},
    {.name = "prompt", .surfaces = kRows, .help = "What to go on with", .schema = kPrompt},
    {.name = "prompt", .surfaces = kTokenize, .help = "A text as it is", .schema = R"({"type": "string"})"},
    {.name = "messages", .surfaces = kTemplated,
     .help = "The conversation: `system`, `developer` (which templates see as `system`), `user`, `assistant`, `tool`",
     .schema = kChatMessages},
    {.name = "messages", .surfaces = kTurns, .help = "The turns of `user` and `assistant`", .required = kTurns,
     .schema = R"({"type": "array", "minItems": 1, "items": {"type": "object", "required": ["role", "content"],
       "properties": {"role": {"enum": ["user", "assistant"]}, "content": {"anyOf": [{"type": "string"},
       {"type": "array", "items": {"type": "object", "required": ["type"], "additionalProperties": true}}]}}}})"},
    {.name = "prompt_components", .surfaces = kChoices,
     .help = "A prompt by its parts, in place of `prompt` or `messages` (docs/prompting.md)",
     .schema = kAnyObject},
    {.name = "input", .surfaces = kResponses,
     .help = "The conversation: a text, or items `message`, `function_call`, `function_call_output`, `reasoning`",
     .required = kResponses,
     .schema = R"({"anyOf": [{"type": "string"},
       {"type": "array", "items": {"type": "object", "additionalProperties": true}}]})"},
    {.name = "input", .surfaces = kEmbeddings, .help = "What to embed: one text or up to 2048",
     .required = kEmbeddings, .schema = kPrompts},
    {.name = "prefix", .surfaces = kScore, .help = "What stands before each continuation", .required = kScore,
     .schema = kPrompt},
    {.name = "continuations", .surfaces = kScore, .help = "What to score, of the prefix's kind", .required = kScore,
     .schema = R"({"type": "array", "minItems": 1, "maxItems": 2048,
       "items": {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/TokenIds"}]}})"},
    {.name = "tokens", .surfaces = kDetokenize, .help = "What to write as text", .required = kDetokenize,
     .schema = R"({"type": "array", "items": {"$ref": "#/components/schemas/TokenId"}})"},
    {.name = "instructions", .surfaces = kResponses, .type = kText, .help = "The system prompt"},
    {.name = "system", .surfaces = kTurns, .help = "The system prompt",
     .schema = R"({"anyOf": [{"type": "string"}, {"type": "null"},
       {"type": "array", "items": {"type": "object", "required": ["type"], "additionalProperties": true}}]})"},
    {.name = "documents", .surfaces = kTemplated, .help = "Given to the template", .schema = kAnyObjects},
    {.name = "chat_template_kwargs", .surfaces = kTemplated | kResponses | kTurns,
     .help = "What the template reads beside the messages", .schema = kAnyObject},
    {.name = "reasoning_effort", .surfaces = kTemplated, .type = kText, .help = "Given to the template"},
    {.name = "reasoning", .surfaces = kResponses, .help = "Its `effort` is given to the template",
     .schema = kAnyObject},
    {.name = "thinking", .surfaces = kTurns, .help = "`enable_thinking` for the template, by its `type`",
     .schema = R"({"type": ["object", "null"], "required": ["type"], "additionalProperties": true})"},
    {.name = "include_reasoning", .surfaces = kChat, .type = kBoolean,
     .help = "The reasoning part, of a template that has one, is in the answer", .otherwise = 1},
    {.name = "add_generation_prompt", .surfaces = kTemplated, .type = kBoolean,
     .help = "Ends the prompt with the beginning of an answer; by default unless `continue_final_message`"},
    {.name = "continue_final_message", .surfaces = kTemplated, .type = kBoolean,
     .help = "The last message is the beginning of the answer", .otherwise = 0},
    {.name = "add_special_tokens", .surfaces = kCompletions | kEmbeddings | kRows, .type = kBoolean,
     .help = "A text gets the beginning-of-sequence token, where the model wants one", .otherwise = 1},
    {.name = "add_special_tokens", .surfaces = kChat, .type = kBoolean,
     .help = "By default where the template writes no beginning-of-sequence token"},
    {.name = "add_special_tokens", .surfaces = kTokenize, .type = kBoolean,
     .help = "The beginning-of-sequence token; by default before a text, and where a template writes none"},
    {.name = "truncate_prompt_tokens", .surfaces = kChoices | kResponses | kEmbeddings, .type = kInteger,
     .help = "Keeps the last so many tokens of the prompt; -1: as many as fit; never 0", .range = {-1, kMostInt}},
    {.name = "return_token_strs", .surfaces = kTokenize, .type = kBoolean, .help = "The tokens' texts as well",
     .otherwise = 0},

    // -- Tools.
    {.name = "tools", .surfaces = kTemplated, .help = "Functions that the model may call",
     .schema = kChatTools},
    {.name = "tools", .surfaces = kResponses, .help = "Those of type `function`", .schema = kAnyObjects},
    {.name = "tools", .surfaces = kTurns, .help = "Functions that the model may call, with an `input_schema`",
     .schema = R"({"type": ["array", "null"],
       "items": {"type": "object", "required": ["name"], "additionalProperties": true}})"},
    {.name = "tool_choice", .surfaces = kTemplated, .help = "`none`, `auto`, `required`, or one by name",
     .schema = R"({"anyOf": [{"enum": ["none", "auto", "required"]}, {"type": "null"},
       {"type": "object", "required": ["type", "function"], "properties": {"type": {"const": "function"},
       "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}]})"},
    {.name = "tool_choice", .surfaces = kResponses, .help = "`none`, `auto`, `required`, or one by name",
     .schema = R"({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": true},
       {"type": "null"}]})"},
    {.name = "tool_choice", .surfaces = kTurns, .help = "`auto`, `any`, `tool`, `none`; `disable_parallel_tool_use`",
     .schema = R"({"type": ["object", "null"], "required": ["type"], "additionalProperties": true})"},
    {.name = "parallel_tool_calls", .surfaces = kTemplated | kResponses, .type = kBoolean,
     .help = "More than one call in an answer; off leaves out those after the first", .otherwise = 1},

    // -- How an answer is drawn.
    {.name = "max_tokens", .surfaces = kCompletions, .type = kInteger,
     .help = "Longest answer; 0 computes the prompt alone", .member = &P::max_tokens, .range = {0, kMostInt},
     .otherwise = 16},
    {.name = "max_tokens", .surfaces = kLocal, .type = kInteger, .help = "Longest answer; 0 computes the prompt alone",
     .member = &P::max_tokens, .range = {0, kMostInt}, .otherwise = 256},
    {.name = "max_tokens", .surfaces = kChat, .type = kInteger,
     .help = "Longest answer; by default what the context leaves", .member = &P::max_tokens, .range = {1, kMostInt},
     .otherwise = kMostInt},
    {.name = "max_tokens", .surfaces = kMessages, .type = kInteger, .help = "Longest answer", .member = &P::max_tokens,
     .range = {1, kMostInt}, .required = kMessages},
    {.name = "max_completion_tokens", .surfaces = kChat, .type = kInteger, .help = "The newer name of `max_tokens`",
     .member = &P::max_tokens, .range = {1, kMostInt}},
    {.name = "max_completion_tokens", .surfaces = kRows, .type = kInteger, .help = "The newer name of `max_tokens`",
     .member = &P::max_tokens, .range = {0, kMostInt}},
    {.name = "max_output_tokens", .surfaces = kResponses, .type = kInteger,
     .help = "Longest answer; by default what the context leaves", .member = &P::max_tokens, .range = {1, kMostInt},
     .otherwise = kMostInt},
    {.name = "min_tokens", .surfaces = kSampling, .type = kInteger, .help = "Shortest answer", .member = &P::min_tokens,
     .range = {0, kMostInt}, .otherwise = 0},
    {.name = "temperature", .surfaces = kSampling, .type = kNumber, .help = "0: greedy", .member = &P::temperature,
     .model = &D::temperature, .range = {0, kMostFloat}, .http_range = NumberRange{0, 2}, .otherwise = 0,
     .exceptions = {{{kHttp, 1}, {kTerminal, 0.7}}}},
    {.name = "top_k", .surfaces = kSampling, .type = kInteger,
     .help = "Draw among the K most likely tokens; 0 or -1: off", .member = &P::top_k, .model = &D::top_k,
     .range = {-1, kMostInt}, .otherwise = 0},
    {.name = "top_p", .surfaces = kSampling, .type = kNumber,
     .help = "Draw among the most likely tokens that hold P of the probability; 1: off", .member = &P::top_p,
     .model = &D::top_p, .range = {0, 1}, .otherwise = 1},
    {.name = "min_p", .surfaces = kSampling, .type = kNumber,
     .help = "Drop tokens less likely than P times the most likely; 0: off", .member = &P::min_p, .model = &D::min_p,
     .range = {0, 1}, .otherwise = 0},
    {.name = "xtc_probability", .surfaces = kSampling, .type = kNumber,
     .help = "How often XTC removes the tokens at or above its threshold, but the least likely of them; 0: off",
     .member = &P::xtc_probability, .range = {0, 1}, .otherwise = 0},
    {.name = "xtc_threshold", .surfaces = kSampling, .type = kNumber,
     .help = "The probability from which on XTC removes tokens", .member = &P::xtc_threshold, .range = {0, 1},
     .otherwise = 0.1},
    {.name = "typical_p", .surfaces = kSampling, .type = kNumber, .help = "Locally typical sampling; 1: off",
     .member = &P::typical_p, .range = {0, 1, true}, .otherwise = 1},
    {.name = "repetition_penalty", .surfaces = kSampling, .type = kNumber,
     .help = "Divide the logits of tokens seen before; 1: off", .member = &P::repetition_penalty,
     .model = &D::repetition_penalty, .range = {0, kMostFloat, true}, .otherwise = 1},
    {.name = "presence_penalty", .surfaces = kSampling, .type = kNumber,
     .help = "Subtract from the logits of tokens generated before", .member = &P::presence_penalty, .range = {-2, 2},
     .otherwise = 0},
    {.name = "frequency_penalty", .surfaces = kSampling, .type = kNumber,
     .help = "Subtract from the logits of tokens generated before, times how often", .member = &P::frequency_penalty,
     .range = {-2, 2}, .otherwise = 0},
    {.name = "logit_bias", .surfaces = kSampling, .type = kLogitBias, .help = "Added to the logits of tokens",
     .member = &P::logit_bias, .http_range = NumberRange{-100, 100}},
    {.name = "allowed_token_ids", .surfaces = kSampling, .type = kTokenIds, .help = "Draw among these alone",
     .member = &P::allowed_token_ids},
    {.name = "bad_words", .surfaces = kSampling, .type = kTexts, .help = "Texts that are never generated",
     .member = &P::bad_words},
    {.name = "seed", .surfaces = kSampling, .type = kSeed,
     .help = "Makes a drawn answer repeatable, whatever else runs", .member = &P::seed, .flag = "-s,--seed"},
    {.name = "stop", .surfaces = kSampling, .type = kTextOrTexts, .help = "Texts that end the answer",
     .member = &P::stop, .http_max_items = kMaxStops},
    {.name = "stop_sequences", .surfaces = kMessages, .type = kTexts, .help = "Texts that end the answer",
     .member = &P::stop, .http_max_items = kMaxStops},
    {.name = "stop_token_ids", .surfaces = kSampling, .type = kTokenIds, .help = "Ids that end the answer",
     .member = &P::stop_token_ids},
    {.name = "include_stop_str_in_output", .surfaces = kGenerating | kRows, .type = kBoolean,
     .help = "The text that ended the answer stays in it", .member = &P::include_stop_str_in_output, .otherwise = 0},
    {.name = "ignore_eos", .surfaces = kSampling, .type = kBoolean, .help = "Go on past the end of generation",
     .member = &P::ignore_eos, .otherwise = 0},
    {.name = "skip_special_tokens", .surfaces = kGenerating | kRows, .type = kBoolean,
     .help = "Special tokens do not appear in the text", .member = &P::skip_special_tokens, .otherwise = 1},
    {.name = "keep_special_tokens", .surfaces = kCommandLine, .type = kBoolean,
     .help = "Show special tokens in the text", .member = &P::skip_special_tokens, .flag = "!--keep-special-tokens"},

    // -- How many answers.
    {.name = "n", .surfaces = kChoices | kLocal, .type = kInteger, .help = "Answers to the prompt", .member = &P::n,
     .range = {1, kMostInt}, .http_range = NumberRange{1, 128}, .otherwise = 1, .flag = "-n"},
    {.name = "best_of", .surfaces = kChoices, .type = kInteger, .help = "As `n`, or absent", .range = {1, kMostInt}},
    {.name = "use_beam_search", .surfaces = kChoices | kRows, .type = kBoolean,
     .help = "The most likely answers of a beam search, best first; nothing is drawn", .member = &P::use_beam_search,
     .otherwise = 0},
    {.name = "beam_width", .surfaces = kChoices | kRows, .type = kInteger, .help = "Of the beam search; 0: `n`",
     .member = &P::beam_width, .range = {0, kMaxBeamWidth}, .otherwise = 0},
    {.name = "beams", .surfaces = kCommandLine, .type = kInteger, .help = "Beam search of this width; 0: none",
     .member = &P::beam_width, .range = {0, kMaxBeamWidth}, .otherwise = 0},
    {.name = "length_penalty", .surfaces = kChoices | kLocal, .type = kNumber, .help = "Beams: score / length^P",
     .member = &P::length_penalty, .otherwise = 1},
    {.name = "early_stopping", .surfaces = kChoices | kLocal, .type = kBoolean,
     .help = "Beams: stop as soon as enough have ended", .member = &P::early_stopping, .otherwise = 0},

    // -- What else comes with an answer.
    {.name = "logprobs", .surfaces = kCompletions | kCommandLine, .type = kInteger,
     .help = "Log-probability of each token, and of the K most likely", .member = &P::logprobs,
     .range = {0, kMaxLogprobs}},
    {.name = "logprobs", .surfaces = kChat, .type = kBoolean, .help = "Log-probability of each token", .otherwise = 0},
    {.name = "logprobs", .surfaces = kRows,
     .help = "Log-probability of each token: how many of the likely ones beside it, or true and `top_logprobs`",
     .schema = R"({"type": ["boolean", "integer", "null"], "minimum": 0, "maximum": 128})"},
    {.name = "top_logprobs", .surfaces = kChat, .type = kInteger, .help = "And of the K most likely",
     .range = {0, 20}, .otherwise = 0},
    {.name = "top_logprobs", .surfaces = kResponses, .type = kInteger,
     .help = "With `message.output_text.logprobs`: and of the K most likely", .range = {0, 20}, .otherwise = 0},
    {.name = "top_logprobs", .surfaces = kRows, .type = kInteger, .help = "And of the K most likely",
     .range = {0, kMaxLogprobs}, .otherwise = 0},
    {.name = "prompt_logprobs", .surfaces = kChoices | kLocal, .type = kInteger,
     .help = "Log-probability of each of the prompt's tokens, and of the K most likely; not in a stream",
     .member = &P::prompt_logprobs, .range = {0, kMaxLogprobs}},
    {.name = "include", .surfaces = kResponses, .help = "What else the answer has",
     .schema = R"({"type": ["array", "null"],
       "items": {"enum": ["reasoning.encrypted_content", "message.output_text.logprobs"]}})"},
    {.name = "return_tokens_as_token_ids", .surfaces = kChoices, .type = kBoolean,
     .help = "Log-probabilities name their tokens `token_id:17`", .otherwise = 0},
    {.name = "return_token_ids", .surfaces = kGenerating, .type = kBoolean,
     .help = "`token_ids` of the answer, and `prompt_token_ids`", .otherwise = 0},
    {.name = "echo", .surfaces = kCompletions, .type = kBoolean, .help = "The prompt before the answer",
     .otherwise = 0},
    {.name = "echo", .surfaces = kChat, .type = kBoolean, .help = "The continued message before the answer",
     .otherwise = 0},
    {.name = "encoding_format", .surfaces = kEmbeddings, .help = "How the vectors are written",
     .schema = R"({"enum": ["float", "base64", null], "default": "float"})"},
    {.name = "dimensions", .surfaces = kEmbeddings, .type = kInteger, .help = "The model's own number alone",
     .range = {1, kMostInt}},

    // -- What the answer must look like: at most one of them.
    {.name = "response_format", .surfaces = kFormed, .help = "`text`, `json_object`, or `json_schema` with the schema",
     .schema = R"({"type": ["object", "null"], "required": ["type"], "properties": {
       "type": {"enum": ["text", "json_object", "json_schema"]},
       "json_schema": {"type": "object", "additionalProperties": true}}, "additionalProperties": true})"},
    {.name = "text", .surfaces = kResponses, .help = "Its `format` is this API's form of `response_format`",
     .schema = kAnyObject},
    {.name = "structured_outputs", .surfaces = kFormed,
     .help = "One of `json` (a schema), `regex`, `choice`, `grammar` (GBNF), `json_object`",
     .schema = R"({"type": ["object", "null"], "properties": {
       "json": {"type": ["object", "string", "boolean", "null"], "additionalProperties": true},
       "regex": {"type": ["string", "null"]},
       "choice": {"type": ["array", "null"], "items": {"type": "string"}},
       "grammar": {"type": ["string", "null"]},
       "json_object": {"type": ["boolean", "null"]}}, "additionalProperties": true})"},
    {.name = "guided_json", .surfaces = kFormed, .help = "As `structured_outputs.json`", .schema = kAnySchema},
    {.name = "guided_regex", .surfaces = kFormed, .type = kText, .help = "As `structured_outputs.regex`"},
    {.name = "guided_choice", .surfaces = kFormed, .help = "As `structured_outputs.choice`",
     .schema = R"({"type": ["array", "null"], "items": {"type": "string"}})"},
    {.name = "guided_grammar", .surfaces = kFormed, .type = kText, .help = "As `structured_outputs.grammar`"},

    // -- How it is sent and when it runs.
    {.name = "stream", .surfaces = kGenerating, .type = kBoolean, .help = "Server-sent events as the answer comes",
     .otherwise = 0},
    {.name = "stream_options", .surfaces = kGenerating,
     .help = "`include_usage`: a last chunk with the usage; `continuous_usage_stats`: the usage so far in every chunk",
     .schema = R"({"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"},
       "continuous_usage_stats": {"type": "boolean"}, "include_obfuscation": {"type": "boolean"}},
       "additionalProperties": false})"},
    {.name = "priority", .surfaces = kGenerating | kRows, .type = kInteger,
     .help = "Lower runs first, under the priority policy", .range = {kLeastInt, kMostInt}, .otherwise = 0},
    {.name = "cache_salt", .surfaces = kGenerating | kRows, .type = kText,
     .help = "Prompts of different salts never share cached blocks"},

    // -- What clients send along, and no answer depends on.
    {.name = "user", .surfaces = kGenerating | kEmbeddings | kScore | kRows, .type = kText, .use = kIgnored},
    {.name = "metadata", .surfaces = kGenerating | kRows, .schema = kAnyObject, .use = kIgnored},
    {.name = "store", .surfaces = kGenerating, .type = kBoolean, .use = kIgnored},
    {.name = "service_tier", .surfaces = kGenerating, .type = kText, .use = kIgnored},
    {.name = "safety_identifier", .surfaces = kGenerating, .type = kText, .use = kIgnored},
    {.name = "prompt_cache_key", .surfaces = kGenerating, .type = kText, .use = kIgnored},
    {.name = "prompt_cache_retention", .surfaces = kGenerating, .type = kText, .use = kIgnored},
    {.name = "request_id", .surfaces = kGenerating, .type = kText, .use = kIgnored},
    {.name = "spaces_between_special_tokens", .surfaces = kGenerating, .type = kBoolean, .use = kIgnored},
    {.name = "guided_decoding_backend", .surfaces = kFormed, .type = kText, .use = kIgnored},
    {.name = "prediction", .surfaces = kChat, .schema = kAnyObject, .use = kIgnored},
    {.name = "verbosity", .surfaces = kChat, .type = kText, .use = kIgnored},
    {.name = "cache_control", .surfaces = kTurns, .schema = kAnyObject, .use = kIgnored},

    // -- What is known and not served.
    {.name = "suffix", .surfaces = kCompletions, .schema = R"({"type": ["string", "null"], "maxLength": 0})",
     .use = kRefused, .instead = "this model completes at the end alone", .harmless = R"("")"},
    {.name = "functions", .surfaces = kChat, .use = kRefused, .instead = "use tools"},
    {.name = "function_call", .surfaces = kChat, .use = kRefused, .instead = "use tool_choice"},
    {.name = "modalities", .surfaces = kChat,
     .schema = R"({"type": ["array", "null"], "items": {"const": "text"}, "minItems": 1, "maxItems": 1})",
     .use = kRefused, .instead = "this model writes text alone", .harmless = R"(["text"])"},
    {.name = "audio", .surfaces = kChat, .use = kRefused, .instead = "this model writes text alone"},
    {.name = "web_search_options", .surfaces = kChat, .use = kRefused, .instead = "this server searches nothing"},
    {.name = "chat_template", .surfaces = kChat | kTokenize, .use = kRefused,
     .instead = "start the server with --chat-template"},
    {.name = "previous_response_id", .surfaces = kResponses, .use = kRefused, .instead = kKeepsNothing},
    {.name = "conversation", .surfaces = kResponses, .use = kRefused, .instead = kKeepsNothing},
    {.name = "prompt", .surfaces = kResponses, .use = kRefused, .instead = kKeepsNothing},
    {.name = "background", .surfaces = kResponses, .schema = R"({"enum": [false, null]})", .use = kRefused,
     .instead = kKeepsNothing, .harmless = "false"},
    {.name = "max_tool_calls", .surfaces = kResponses, .use = kRefused, .instead = "tools are called by the client"},
    {.name = "truncation", .surfaces = kResponses, .schema = R"({"enum": ["disabled", null]})", .use = kRefused,
     .instead = "use truncate_prompt_tokens", .harmless = R"("disabled")"},
};
// clang-format on

}  // namespace

std::span<const RequestField> request_fields() { return kFields; }

}  // namespace caravel
