#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fields/json.h"
#include "server/endpoint/answer.h"
#include "server/endpoint/generation.h"

namespace caravel::server {

/// One answer as a row of sections: stretches of text, of reasoning, and calls, in the order in which they came. What
/// /v1/responses calls output items and Anthropic content blocks. Derived classes spell them.
class SectionsAnswer : public Answer {
 public:
  struct Section {
    Piece::Kind kind;  // kContent, kReasoning or kToolCall
    std::string id;
    std::string name;                         // the function that a call is for
    std::string text;                         // a call's arguments
    std::vector<TokenLogprob> logprobs = {};  // content alone has them
  };

  bool streams() const final { return streams_; }
  bool is_large() const final { return is_large_; }
  void add(size_t prompt, const Delta& delta, AnswerText& out) final;
  void prompt_ended(size_t prompt, const Result& result, AnswerText& out) final;
  void complete(AnswerText& out) final;

 protected:
  explicit SectionsAnswer(const Generation& generation)
      : streams_(generation.stream),
        is_large_(generation.has_large_answers()),
        returns_token_ids_(generation.return_token_ids),
        call_id_length_(generation.layout.call_id_length),
        stop_(generation.sampling.stop) {
    if (returns_token_ids_) prompt_token_ids_ = generation.prompts.front().tokens;
  }

  // Events of a stream. Sections are numbered from 0; one is open at a time.
  virtual void begin(AnswerText& out) = 0;
  virtual void open(size_t number, const Section& section, AnswerText& out) = 0;
  /// The section's log-probabilities from number `first_logprob` on came with the text; the last may come without.
  virtual void grow(size_t number, const Section& section, const std::string& text, size_t first_logprob,
                    AnswerText& out) = 0;
  virtual void close(size_t number, const Section& section, AnswerText& out) = 0;
  virtual void end(AnswerText& out) = 0;
  /// The whole answer, where it is not streamed, to be added to `out`.
  virtual Json whole(AnswerText& out) const = 0;
  virtual std::string make_section_id(Piece::Kind kind) const = 0;

  const std::vector<Section>& sections() const { return sections_; }
  const Usage& usage() const { return usage_; }
  /// How it ended; kNone while it goes on.
  FinishReason finish_reason() const { return finish_reason_; }
  bool called_tools() const { return called_tools_; }
  /// Where return_token_ids asks for them. Which token belongs to which section is not told apart: the answer has them
  /// as a whole, a stream at its end.
  bool returns_token_ids() const { return returns_token_ids_; }
  const std::vector<int32_t>& prompt_token_ids() const { return prompt_token_ids_; }
  const std::vector<int32_t>& token_ids() const { return token_ids_; }
  /// As for chat::make_call_id().
  size_t call_id_length() const { return call_id_length_; }
  /// The stop string that ended it.
  std::optional<std::string> stop_string() const;

 private:
  void take(const Piece& piece, AnswerText& out);
  /// More of the last section, with the log-probabilities that wait if it is text.
  void extend(const std::string& text, AnswerText& out);

  bool streams_;
  bool is_large_;
  bool returns_token_ids_;
  std::vector<int32_t> prompt_token_ids_;
  std::vector<int32_t> token_ids_;
  size_t call_id_length_;
  std::vector<std::string> stop_;
  bool begun_ = false;
  std::vector<Section> sections_;
  std::vector<TokenLogprob> waiting_logprobs_;  // their tokens' text is yet to come
  FinishReason finish_reason_ = FinishReason::kNone;
  std::string stop_reason_;
  bool called_tools_ = false;
  Usage usage_;
};

}  // namespace caravel::server
