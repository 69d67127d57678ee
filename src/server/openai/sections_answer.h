#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/openai/answer.h"
#include "server/openai/chat_form.h"
#include "server/openai/request_head.h"

namespace caravel::server::openai {

/// One answer as a row of sections: stretches of text, of reasoning, and calls, in the order in which they came. What
/// /v1/responses calls output items and Anthropic content blocks. Derived classes spell them.
class SectionsAnswer : public Answer {
 public:
  struct Section {
    chat::Piece::Kind kind;  // kContent, kReasoning or kToolCall
    std::string id;
    std::string name;                         // of the function
    std::string text;                         // or the arguments
    std::vector<TokenLogprob> logprobs = {};  // of text alone
  };

  void add(size_t prompt, const Delta& delta, std::string& out) final;
  void prompt_ended(size_t prompt, const Result& result, std::string& out) final;
  void complete(std::string& out) final;

 protected:
  SectionsAnswer(bool streams, PartReader reader, std::vector<std::string> stop)
      : streams_(streams), reader_(std::move(reader)), stop_(std::move(stop)) {}

  // Events of a stream. Sections are numbered from 0; one is open at a time.
  virtual void begin(std::string& out) = 0;
  virtual void open(size_t number, const Section& section, std::string& out) = 0;
  /// logprobs: of the tokens that came with the text, where they were asked for; the last may come without text.
  virtual void grow(size_t number, const Section& section, const std::string& text,
                    std::span<const TokenLogprob> logprobs, std::string& out) = 0;
  virtual void close(size_t number, const Section& section, std::string& out) = 0;
  virtual void end(std::string& out) = 0;
  /// The whole answer, where it is not streamed.
  virtual Json whole() const = 0;
  virtual std::string make_section_id(chat::Piece::Kind kind) const = 0;

  const std::vector<Section>& sections() const { return sections_; }
  const Usage& usage() const { return usage_; }
  /// Of the end: finish_reason, stop_reason, called_tools.
  const Part& last() const { return last_; }
  /// The stop string that ended it.
  std::optional<std::string> stop_string() const;

 private:
  void take(const chat::Piece& piece, std::string& out);
  /// More of the last section, with the log-probabilities that wait if it is text.
  void extend(const std::string& text, std::string& out);

  bool streams_;
  PartReader reader_;
  std::vector<std::string> stop_;
  bool begun_ = false;
  std::vector<Section> sections_;
  std::vector<TokenLogprob> waiting_logprobs_;  // of tokens before the next text
  Part last_;
  Usage usage_;
};

}  // namespace caravel::server::openai
