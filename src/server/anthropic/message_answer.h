#pragma once

#include <string>
#include <utility>

#include "server/endpoint/answer_head.h"
#include "server/endpoint/sections_answer.h"

namespace caravel::server::anthropic {

/// The answer of /v1/messages, as Anthropic spells it.
class MessageAnswer final : public SectionsAnswer {
 public:
  MessageAnswer(const Generation& generation, AnswerHead head)
      : SectionsAnswer(generation), head_(std::move(head)), prompt_tokens_(generation.prompt_tokens()) {}

  void failed(const ApiError& error, AnswerText& out) override;
  http::Response refusal(const ApiError& error) const override;

 private:
  void begin(AnswerText& out) override;
  void open(size_t number, const Section& section, AnswerText& out) override;
  void grow(size_t number, const Section& section, const std::string& text, size_t first_logprob,
            AnswerText& out) override;
  void close(size_t number, const Section& section, AnswerText& out) override;
  void end(AnswerText& out) override;
  Json whole(AnswerText& out) const override;
  std::string make_section_id(Piece::Kind kind) const override;

  Json message(Json content, Json stop_reason, Json usage) const;
  Json stop_reason() const;
  Json usage_json() const;

  AnswerHead head_;
  int prompt_tokens_;
};

}  // namespace caravel::server::anthropic
