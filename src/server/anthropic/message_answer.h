#pragma once

#include <span>
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

  void failed(const ApiError& error, std::string& out) override;
  http::Response refusal(const ApiError& error) const override;

 private:
  void begin(std::string& out) override;
  void open(size_t number, const Section& section, std::string& out) override;
  void grow(size_t number, const Section& section, const std::string& text, std::span<const TokenLogprob> logprobs,
            std::string& out) override;
  void close(size_t number, const Section& section, std::string& out) override;
  void end(std::string& out) override;
  Json whole() const override;
  std::string make_section_id(Piece::Kind kind) const override;

  Json message(Json content, Json stop_reason, Json usage) const;
  Json stop_reason() const;
  Json usage_json() const;

  AnswerHead head_;
  int prompt_tokens_;
};

}  // namespace caravel::server::anthropic
