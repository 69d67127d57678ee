#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "caravel/result.h"

namespace caravel {

/// What an answer must look like. An answer that ends by itself fits it whole; one cut by max_tokens is a beginning.
struct GrammarSpec {
  enum class Kind : uint8_t {
    kNone,
    kJsonObject,  // any JSON object
    kJsonSchema,  // text: the schema, as JSON
    kRegex,       // text: a regular expression that matches the whole answer
    kChoice,      // choices: one of them, to the byte
    kGbnf,        // text: llama.cpp's grammar notation, from its rule `root`
  };
  Kind kind = Kind::kNone;
  std::string text;
  std::vector<std::string> choices;
  /// kGbnf: JSON schemas that the grammar's rules may call: `schema-0` is the first, and so on, without being defined
  /// there. So a schema is embedded in other text: root ::= "<tool_call>" schema-0 "</tool_call>".
  std::vector<std::string> schemas;

  bool operator==(const GrammarSpec&) const = default;
};

/// How the tokens of one request are drawn. Names and meanings are OpenAI's and vLLM's. What is not given is as
/// EngineConfig::generation says, else the model's files, else Request::fallback, else the comment: the draw that
/// llama.cpp's server takes, which keeps small models on their way. The logits pass, in this order, through: the
/// grammar, allowed and bad words, min_tokens, logit bias, penalties, temperature, top-k, typical-p, top-p, min-p, XTC.
/// Log-probabilities that are reported are those of the model, before any of it.
struct SamplingParams {
  std::optional<int> max_tokens;            // >= 0; 0 computes the prompt alone (its log-probabilities). 256
  std::optional<int> min_tokens;            // no end of generation and no stop token before these many. 0
  std::optional<float> temperature;         // >= 0; 0 is greedy. 0.8
  std::optional<int> top_k;                 // 0 or -1: off. 40
  std::optional<float> top_p;               // [0, 1]; 1: off. 0.95
  std::optional<float> min_p;               // [0, 1]; 0: off. 0.05
  std::optional<float> xtc_probability;     // [0, 1]; how often XTC removes tokens; 0: off. 0
  std::optional<float> xtc_threshold;       // [0, 1]; XTC: of the tokens as likely as that, the least stays. 0.1
  std::optional<float> typical_p;           // (0, 1]; 1: off. 1
  std::optional<float> repetition_penalty;  // > 0; of tokens in the prompt or the output; 1: off. 1
  std::optional<float> presence_penalty;    // [-2, 2]; of tokens in the output. 0
  std::optional<float> frequency_penalty;   // [-2, 2]; times their count in the output. 0
  std::vector<std::pair<int32_t, float>> logit_bias;  // token id, added to its logit
  std::vector<int32_t> allowed_token_ids;             // empty: all
  std::vector<std::string> bad_words;                 // sequences of tokens that are never completed
  std::optional<uint64_t> seed;                       // none: a fresh one for every request
  std::optional<int> n;                               // answers to one prompt; their prompt blocks are shared. 1
  bool use_beam_search = false;                       // n best of beam_width; temperature is not used
  std::optional<int> beam_width;                      // >= n; 0: n. 0
  std::optional<float> length_penalty;  // a beam's score is its log-probability / length^length_penalty. 1
  bool early_stopping = false;          // end as soon as beam_width beams have ended
  std::vector<std::string> stop;        // texts that end the answer
  std::vector<int32_t> stop_token_ids;  // ids that end it
  bool include_stop_str_in_output = false;
  bool ignore_eos = false;               // end-of-generation ids do not end it
  std::optional<int> repetition_window;  // ends an answer whose last so many tokens are one run of at most a quarter
                                         // of them, again and again; 0: off. 256 without max_tokens, 0 with
  bool skip_special_tokens = true;       // special tokens do not appear in the text
  std::optional<int> logprobs;  // log-probability of each drawn token, and of the K most likely; 0: its own alone
  std::optional<int> prompt_logprobs;  // the same of each prompt token but the first
  GrammarSpec grammar;                 // what each answer must look like; not with beam search
};

/// What is said about drawing from a model where a request leaves it open; absent where nothing is said.
struct GenerationDefaults {
  std::vector<int32_t> end_of_generation_ids;  // every id that ends an answer
  std::optional<int> max_tokens;
  std::optional<float> temperature;
  std::optional<int> top_k;
  std::optional<float> top_p;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
  std::optional<int> repetition_window;
};

/// One prompt and how to answer it.
struct Request {
  std::string id;                                          // the caller's; empty: the engine makes one
  std::variant<std::string, std::vector<int32_t>> prompt;  // text, or token ids taken as they are
  bool add_special_tokens = true;  // text alone: the beginning-of-sequence token, where the model wants one
  bool parse_special = true;       // text alone: special tokens written in it count as such
  SamplingParams sampling;
  SamplingParams fallback;  // where neither `sampling`, the engine's configuration nor the model's files say it
  int priority = 0;         // lower runs first, under the priority policy
  bool background = false;  // runs only where nothing else wants the step's tokens, under every policy
  std::string cache_salt;   // prompts of different salts never share cached blocks
};

/// One turn of a conversation.
struct Message {
  std::string role;  // system, user, assistant or tool
  std::string content;
  std::string reasoning = {};             // an assistant's
  std::vector<ToolCall> tool_calls = {};  // an assistant's
  std::string tool_call_id = {};          // a tool's: which call it answers
  std::string name = {};
};

/// A function that the model may call.
struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // JSON schema of an object, as text
};

/// A conversation to go on with. What Request has too means the same here and below.
struct ChatRequest {
  std::string id;
  std::vector<Message> messages;
  std::vector<Tool> tools;
  enum class ToolChoice : uint8_t { kAuto, kNone, kRequired } tool_choice = ToolChoice::kAuto;
  std::string template_kwargs;  // JSON object, as text, of what the template reads beside the messages; empty: nothing
  SamplingParams sampling;
  int priority = 0;
  bool background = false;
  std::string cache_salt;
};

/// Log-probabilities of continuations, each after its prefix.
struct ScoreRequest {
  struct Item {
    std::vector<int32_t> prefix;                      // at least one token; computed once
    std::vector<std::vector<int32_t>> continuations;  // at least one, at least one token each
    std::vector<int> given = {};  // [continuation] how many of its first tokens are read and not scored; empty: none
  };
  std::string id;
  std::vector<Item> items;
  int priority = 0;
  bool background = false;
  std::string cache_salt;
};

/// One text to find the embedding of.
struct EmbedRequest {
  std::string id;
  std::vector<int32_t> tokens;  // at least one
  int priority = 0;
  bool background = false;
};

}  // namespace caravel
