#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

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

/// How the tokens of one request are drawn. Names and meanings are OpenAI's and vLLM's. The logits pass, in this order,
/// through: the grammar, allowed and bad words, min_tokens, logit bias, penalties, temperature, top-k, typical-p,
/// top-p, min-p. Log-probabilities that are reported are those of the model, before any of it.
struct SamplingParams {
  int max_tokens = 256;                               // >= 0; 0 computes the prompt alone (its log-probabilities)
  int min_tokens = 0;                                 // no end of generation and no stop token before these many
  float temperature = 0.0F;                           // >= 0; 0 is greedy
  int top_k = 0;                                      // 0 or -1: off
  float top_p = 1.0F;                                 // (0, 1]; 1: off
  float min_p = 0.0F;                                 // [0, 1]; 0: off
  float typical_p = 1.0F;                             // (0, 1]; 1: off
  float repetition_penalty = 1.0F;                    // > 0; of tokens in the prompt or the output; 1: off
  float presence_penalty = 0.0F;                      // [-2, 2]; of tokens in the output
  float frequency_penalty = 0.0F;                     // [-2, 2]; times their count in the output
  std::vector<std::pair<int32_t, float>> logit_bias;  // token id, added to its logit
  std::vector<int32_t> allowed_token_ids;             // empty: all
  std::vector<std::string> bad_words;                 // sequences of tokens that are never completed
  std::optional<uint64_t> seed;                       // none: a fresh one for every request
  int n = 1;                                          // answers to one prompt; their prompt blocks are shared
  bool use_beam_search = false;                       // n best of beam_width; temperature is not used
  int beam_width = 0;                                 // >= n; 0: n
  float length_penalty = 1.0F;                        // a beam's score is its log-probability / length^length_penalty
  bool early_stopping = false;                        // end as soon as beam_width beams have ended
  std::vector<std::string> stop;                      // texts that end the answer
  std::vector<int32_t> stop_token_ids;                // ids that end it
  bool include_stop_str_in_output = false;
  bool ignore_eos = false;          // end-of-generation ids do not end it
  bool skip_special_tokens = true;  // special tokens do not appear in the text
  std::optional<int> logprobs;      // log-probability of each drawn token, and of the K most likely; 0: its own alone
  std::optional<int> prompt_logprobs;  // the same of each prompt token but the first
  GrammarSpec grammar;                 // what each answer must look like; not with beam search
};

/// What a model's files say about drawing from it; absent where they say nothing.
struct GenerationDefaults {
  std::vector<int32_t> end_of_generation_ids;  // every id that ends an answer
  std::optional<float> temperature;
  std::optional<int> top_k;
  std::optional<float> top_p;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
};

/// One prompt and how to answer it.
struct Request {
  std::string id;                                          // the caller's; empty: the engine makes one
  std::variant<std::string, std::vector<int32_t>> prompt;  // text, or token ids taken as they are
  bool add_special_tokens = true;  // text alone: the beginning-of-sequence token, where the model wants one
  bool parse_special = true;       // text alone: special tokens written in it count as such
  SamplingParams sampling;
  int priority = 0;        // lower runs first, under the priority policy
  std::string cache_salt;  // prompts of different salts never share cached blocks
};

/// Log-probabilities of many continuations of one prefix, which is computed once.
struct ScoreRequest {
  std::vector<int32_t> prefix;                      // at least one token
  std::vector<std::vector<int32_t>> continuations;  // at least one token each
};

}  // namespace caravel
