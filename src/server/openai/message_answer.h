#pragma once

#include <string>

#include "server/openai/sections_answer.h"

namespace caravel::server::openai {

/// The answer of /v1/messages, as Anthropic spells it.
class MessageAnswer final : public SectionsAnswer {
 public:
  MessageAnswer(bool streams, AnswerHead head, int prompt_tokens, PartReader reader, std::vector<std::string> stop)
      : SectionsAnswer(streams, std::move(reader), std::move(stop)),
        head_(std::move(head)),
        prompt_tokens_(prompt_tokens) {}

  void failed(const ApiError& error, std::string& out) override;
  http::Response refusal(const ApiError& error) const override;

  /// {"type": "error", "error": {"type", "message"}}.
  static http::Response error_response(const ApiError& error);

 private:
  void begin(std::string& out) override;
  void open(size_t number, const Section& section, std::string& out) override;
  void grow(size_t number, const Section& section, const std::string& text, std::span<const TokenLogprob> logprobs,
            std::string& out) override;
  void close(size_t number, const Section& section, std::string& out) override;
  void end(std::string& out) override;
  Json whole() const override;
  std::string make_section_id(chat::Piece::Kind kind) const override;

  Json message(Json content, Json stop_reason, Json usage) const;
  Json stop_reason() const;
  Json usage_json() const;

  AnswerHead head_;
  int prompt_tokens_;
};

}  // namespace caravel::server::openai
