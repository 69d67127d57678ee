#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/renderer.h"
#include "fields/answer_form.h"
#include "fields/fields.h"
#include "server/endpoint/call.h"
#include "server/endpoint/prompt.h"

namespace caravel::server {

/// What one HTTP request wants generated, and how the client wants it: the same for each of its prompts.
struct Generation {
  std::string model;  // as the client named it; the first of the server's where it did not
  bool stream = false;
  bool include_usage = false;     // stream_options: a last chunk with the usage
  bool continuous_usage = false;  // ... and the usage so far in every chunk
  bool return_token_ids = false;
  std::vector<chat::Prompt> prompts = {};
  SamplingParams sampling = {};    // resolved
  std::string grammar_field = {};  // the request's field that prescribes the answer's form; empty: none does
  chat::AnswerLayout layout = {};  // every answer has the same
  int priority = 0;
  std::string cache_salt = {};

  void prescribe(AnswerForm form);
  int prompt_tokens() const;  // in all prompts
  /// Their text may take milliseconds to make, at once or again and again.
  bool has_large_answers() const;
  /// Throws FieldError where log-probabilities may become more than `most` bytes of text.
  void check_size(int max_model_len, int64_t most) const;
};

/// What the generating endpoints have in common: no prompts yet.
Generation parse_generation(Fields& fields, Surface surface, const Services& services);

/// Makes a conversation the one prompt, shortened to `truncation`, and lays out its answers. Throws as
/// chat::Renderer::prepare() and fit_prompt() do.
void set_conversation(Generation& generation, const chat::Conversation& conversation, std::optional<int64_t> truncation,
                      const Services& services);

/// Submits it: a handle for each prompt, whose answers come taken apart, and which is noted in the metrics and in the
/// call's exchange. Throws ApiError 429 where too many requests wait, FieldError for a grammar that cannot be enforced,
/// and as Engine::submit does.
std::vector<std::unique_ptr<RequestHandle>> submit(const Call& call, const Generation& generation);

}  // namespace caravel::server
