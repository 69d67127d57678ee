#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fields/json.h"
#include "server/endpoint/answer.h"
#include "server/endpoint/answer_head.h"
#include "server/endpoint/generation.h"

namespace caravel::server::openai {

/// What the fields of /v1/completions and /v1/chat/completions have in common beside Generation's: n answers of a
/// prescribed form, and how the log-probabilities that come with them are written.
struct ChoicesForm {
  std::optional<int> prompt_logprobs;
  bool tokens_as_ids = false;
};
ChoicesForm parse_choices(Fields& fields, Generation& generation);

/// What the answers of the two have in common: choices, in chunks or in one document, and the usage. Derived classes
/// make the choices.
class ChoicesAnswer : public Answer {
 public:
  bool streams() const final { return generation_.stream; }
  bool is_large() const final { return generation_.has_large_answers(); }
  void complete(AnswerText& out) override;
  void failed(const ApiError& error, AnswerText& out) override;

 protected:
  /// object: of the whole answer; chunk_object: of a chunk.
  ChoicesAnswer(Generation generation, AnswerHead head, std::string object, std::string chunk_object);

  const Generation& generation() const { return generation_; }
  size_t n() const { return static_cast<size_t>(*generation_.sampling.n); }
  void count_tokens(size_t tokens) { generated_ += static_cast<int>(tokens); }
  void add_usage_of(const Result& result);
  /// A chunk with that choice.
  void add_chunk(Json choice, AnswerText& out) { add_chunk(std::move(choice), Json::object(), out); }
  /// extra: fields of the chunk itself.
  void add_chunk(Json choice, const Json& extra, AnswerText& out);
  /// A choice of the whole answer, in any order.
  void add_choice(Json choice) { choices_.push_back(std::move(choice)); }
  /// A field of the whole answer itself.
  void add_field(const std::string& name, Json value) { fields_[name] = std::move(value); }

  /// "stop", "length" (also for the time-out) or "tool_calls"; null while it goes on.
  static Json finish_reason_json(FinishReason reason, bool called_tools);
  /// vLLM's: the stop string or the id that ended it, "timeout", or null. stop_reason: as Delta has it.
  Json stop_reason_json(FinishReason reason, const std::string& stop_reason) const;

 private:
  Json envelope(const std::string& object, Json choices) const;

  Generation generation_;
  AnswerHead head_;
  std::string object_;
  std::string chunk_object_;
  int prompt_tokens_;  // in all prompts
  Usage usage_;        // what the prompts that have ended took
  int generated_ = 0;  // tokens so far
  Json choices_ = Json::array();
  Json fields_ = Json::object();
};

}  // namespace caravel::server::openai
