#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/openai/answer.h"
#include "server/openai/context.h"
#include "fields/fields.h"
#include "server/openai/grammar_fields.h"
#include "server/openai/prompt.h"
#include "server/openai/request_head.h"

namespace caravel::server::openai {

/// What one HTTP request wants generated: the same for each of its prompts.
struct Generation {
  std::string endpoint;  // its path, for the metrics
  std::vector<Prompt> prompts;
  SamplingParams sampling;
  std::string grammar_field = {};  // of the request, where sampling has a grammar
  int priority = 0;
  std::string cache_salt;
  bool stream = false;

  /// What a field of the request says the answer must look like.
  void prescribe(AnswerForm form) {
    sampling.grammar = std::move(form.grammar);
    grammar_field = std::move(form.field);
  }
};

/// What every generating endpoint begins with: no prompts yet, and the sampling fields that all of them share.
Generation begin_generation(Fields& fields, const RequestHead& head, const Context& context, std::string endpoint);

/// Submits it, and gives the work that drains it into `answer`: server-sent events, or one JSON document. Throws
/// ApiError 429 where too many requests wait, and 400 for a grammar that cannot be enforced; and what Engine::submit
/// throws. A request that takes longer than the configured time-out is cut: what it has is its answer, which ended as
/// by max_tokens.
std::unique_ptr<http::Work> generate(const Context& context, const http::Request& request, const http::Wake& wake,
                                     const Generation& generation, std::unique_ptr<Answer> answer);

}  // namespace caravel::server::openai
