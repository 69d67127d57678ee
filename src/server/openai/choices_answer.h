#pragma once

#include <string>
#include <utility>

#include "server/openai/answer.h"
#include "server/openai/request_head.h"
#include "server/openai/usage.h"

namespace caravel::server::openai {

/// What the answers of /v1/completions and /v1/chat/completions have in common: choices, in chunks or in one document,
/// and the usage. Derived classes make the choices.
class ChoicesAnswer : public Answer {
 public:
  struct Options {
    RequestHead request;
    AnswerHead head;
    std::string object;        // of the whole answer
    std::string chunk_object;  // of a chunk
    int prompt_tokens = 0;     // of all prompts
  };

  void complete(std::string& out) override;
  void failed(const ApiError& error, std::string& out) override;

 protected:
  explicit ChoicesAnswer(Options options) : options_(std::move(options)) {}

  bool streams() const { return options_.request.stream; }
  const Options& options() const { return options_; }
  void count_tokens(size_t tokens) { generated_ += static_cast<int>(tokens); }
  void add_usage_of(const Result& result) { add_usage(usage_, result.usage); }
  /// A chunk with that choice.
  void add_chunk(Json choice, std::string& out) { add_chunk(std::move(choice), Json::object(), out); }
  /// extra: fields of the chunk itself.
  void add_chunk(Json choice, const Json& extra, std::string& out);
  /// A choice of the whole answer, in any order.
  void add_choice(Json choice) { choices_.push_back(std::move(choice)); }
  /// A field of the whole answer itself.
  void add_field(const std::string& name, Json value) { fields_[name] = std::move(value); }

 private:
  Json envelope(const std::string& object, Json choices) const;

  Options options_;
  Usage usage_;        // of the prompts that have ended
  int generated_ = 0;  // tokens so far
  Json choices_ = Json::array();
  Json fields_ = Json::object();
};

}  // namespace caravel::server::openai
