#include "server/endpoint/sections_answer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace caravel::server {

using Kind = Piece::Kind;

void SectionsAnswer::add(size_t, const Delta& delta, AnswerText& out) {
  if (!std::exchange(begun_, true) && streams_) begin(out);
  if (returns_token_ids_) token_ids_.insert(token_ids_.end(), delta.token_ids.begin(), delta.token_ids.end());
  waiting_logprobs_.insert(waiting_logprobs_.end(), delta.logprobs.begin(), delta.logprobs.end());
  for (const Piece& piece : delta.pieces) take(piece, out);
  // The id that ends an answer has no text.
  if (!waiting_logprobs_.empty() && !sections_.empty() && sections_.back().kind == Kind::kContent) extend("", out);
  finish_reason_ = delta.finish_reason;
  stop_reason_ = delta.stop_reason;
}

void SectionsAnswer::take(const Piece& piece, AnswerText& out) {
  const Kind kind = piece.kind == Kind::kToolArguments ? Kind::kToolCall : piece.kind;
  const bool goes_on = !sections_.empty() && sections_.back().kind == kind && piece.kind != Kind::kToolCall;
  if (!goes_on) {
    if (streams_ && !sections_.empty()) close(sections_.size() - 1, sections_.back(), out);
    sections_.push_back({.kind = kind, .id = make_section_id(kind), .name = "", .text = ""});
    called_tools_ = called_tools_ || kind == Kind::kToolCall;
    if (kind == Kind::kToolCall) sections_.back().name = piece.text;
    if (streams_) open(sections_.size() - 1, sections_.back(), out);
    if (kind == Kind::kToolCall) return;
  }
  extend(piece.text, out);
}

void SectionsAnswer::extend(const std::string& text, AnswerText& out) {
  Section& section = sections_.back();
  section.text += text;
  const size_t first_logprob = section.logprobs.size();
  if (section.kind == Kind::kContent) {
    std::ranges::move(std::exchange(waiting_logprobs_, {}), std::back_inserter(section.logprobs));
  }
  if (streams_) grow(sections_.size() - 1, section, text, first_logprob, out);
}

void SectionsAnswer::prompt_ended(size_t, const Result& result, AnswerText& out) {
  usage_ = result.usage;
  if (streams_ && !sections_.empty()) close(sections_.size() - 1, sections_.back(), out);
}

void SectionsAnswer::complete(AnswerText& out) {
  if (streams_) {
    end(out);
  } else {
    out.add_json(whole(out));
  }
}

std::optional<std::string> SectionsAnswer::stop_string() const {
  const bool stopped = std::ranges::find(stop_, stop_reason_) != stop_.end();
  return stopped ? std::optional(stop_reason_) : std::nullopt;
}

}  // namespace caravel::server
