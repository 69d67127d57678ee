#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/endpoint/answer_head.h"
#include "server/endpoint/sections_answer.h"
#include "server/openai/logprobs.h"

namespace caravel::server::openai {

/// The answer of /v1/responses.
class ResponseAnswer final : public SectionsAnswer {
 public:
  struct LogprobForm {
    TokenNames names;
    size_t top = 0;  // how many of the likely tokens are told at each place
  };

  /// request: the fields that the answer repeats (instructions, temperature, tools and the like).
  /// logprobs: how the log-probabilities of the text's tokens are written, where they are asked for.
  ResponseAnswer(const Generation& generation, AnswerHead head, Json request,
                 std::optional<LogprobForm> logprobs = std::nullopt)
      : SectionsAnswer(generation), head_(std::move(head)), request_(std::move(request)), logprobs_(logprobs) {}

  void failed(const ApiError& error, AnswerText& out) override;

 private:
  void begin(AnswerText& out) override;
  void open(size_t number, const Section& section, AnswerText& out) override;
  void grow(size_t number, const Section& section, const std::string& text, size_t first_logprob,
            AnswerText& out) override;
  void close(size_t number, const Section& section, AnswerText& out) override;
  void end(AnswerText& out) override;
  Json whole(AnswerText& out) const override;
  std::string make_section_id(Piece::Kind kind) const override;

  // What they make is to be added to `out`.
  /// Of a section's log-probabilities those from number `first` on.
  Json logprobs_json(size_t number, size_t first, AnswerText& out) const;
  Json text_part(size_t number, AnswerText& out) const;
  /// An output item with its content, or without any while it is "in_progress".
  Json item(size_t number, std::string_view status, AnswerText& out) const;
  /// Events are numbered.
  void add_numbered(std::string_view type, Json fields, AnswerText& out);
  Json response(std::string_view status, AnswerText& out) const;

  AnswerHead head_;
  Json request_;
  std::optional<LogprobForm> logprobs_;
  int events_ = 0;
};

}  // namespace caravel::server::openai
