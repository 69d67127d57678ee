#include "server/openai/sections_answer.h"

#include <algorithm>
#include <iterator>

namespace caravel::server::openai {

using Kind = chat::Piece::Kind;

void SectionsAnswer::add(size_t, const Delta& delta, std::string& out) {
  std::optional<Part> part = reader_.read(delta);
  if (!part) return;
  if (!std::exchange(begun_, true) && streams_) begin(out);
  std::ranges::move(part->logprobs, std::back_inserter(waiting_logprobs_));
  for (const chat::Piece& piece : part->pieces) take(piece, out);
  // The id that ends an answer has no text.
  if (!waiting_logprobs_.empty() && !sections_.empty() && sections_.back().kind == Kind::kContent) extend("", out);
  last_ = *std::move(part);
}

void SectionsAnswer::take(const chat::Piece& piece, std::string& out) {
  const Kind kind = piece.kind == Kind::kToolArguments ? Kind::kToolCall : piece.kind;
  const bool goes_on = !sections_.empty() && sections_.back().kind == kind && piece.kind != Kind::kToolCall;
  if (!goes_on) {
    if (streams_ && !sections_.empty()) close(sections_.size() - 1, sections_.back(), out);
    sections_.push_back({.kind = kind, .id = make_section_id(kind), .name = "", .text = ""});
    if (kind == Kind::kToolCall) sections_.back().name = piece.text;
    if (streams_) open(sections_.size() - 1, sections_.back(), out);
    if (kind == Kind::kToolCall) return;
  }
  extend(piece.text, out);
}

void SectionsAnswer::extend(const std::string& text, std::string& out) {
  Section& section = sections_.back();
  section.text += text;
  std::vector<TokenLogprob> logprobs;
  if (section.kind == Kind::kContent) logprobs = std::exchange(waiting_logprobs_, {});
  if (streams_) grow(sections_.size() - 1, section, text, logprobs, out);
  std::ranges::move(logprobs, std::back_inserter(section.logprobs));
}

void SectionsAnswer::prompt_ended(size_t, const Result& result, std::string& out) {
  usage_ = result.usage;
  if (streams_ && !sections_.empty()) close(sections_.size() - 1, sections_.back(), out);
}

void SectionsAnswer::complete(std::string& out) {
  if (streams_) {
    end(out);
  } else {
    out += to_text(whole());
  }
}

std::optional<std::string> SectionsAnswer::stop_string() const {
  const bool stopped = std::ranges::find(stop_, last_.stop_reason) != stop_.end();
  return stopped ? std::optional(last_.stop_reason) : std::nullopt;
}

}  // namespace caravel::server::openai
