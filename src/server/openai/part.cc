#include "server/openai/part.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace caravel::server::openai {
namespace {

using chat::Piece;
using Kind = Piece::Kind;

void add_piece(std::vector<Piece>& pieces, Piece piece) {
  const bool joins = !pieces.empty() && pieces.back().kind == piece.kind && pieces.back().index == piece.index &&
                     piece.kind != Kind::kToolCall;
  if (joins) {
    pieces.back().text += piece.text;
  } else {
    pieces.push_back(std::move(piece));
  }
}

}  // namespace

void Part::append(Part part) {
  for (Piece& piece : part.pieces) add_piece(pieces, std::move(piece));
  token_ids.insert(token_ids.end(), part.token_ids.begin(), part.token_ids.end());
  std::ranges::move(part.logprobs, std::back_inserter(logprobs));
  finish_reason = part.finish_reason;
  stop_reason = std::move(part.stop_reason);
  called_tools = part.called_tools;
}

std::string Part::joined(Kind kind, int index) const {
  std::string text;
  for (const Piece& piece : pieces) {
    if (piece.kind == kind && piece.index == index) text += piece.text;
  }
  return text;
}

Json finish_reason_json(const Part& part) {
  switch (part.finish_reason) {
    case FinishReason::kNone:
      return nullptr;
    case FinishReason::kStop:
      return part.called_tools ? "tool_calls" : "stop";
    default:
      return "length";
  }
}

Json stop_reason_json(const Part& part, const std::vector<std::string>& stops) {
  if (part.finish_reason == FinishReason::kCancelled) return "timeout";
  if (part.stop_reason.empty()) return nullptr;
  if (std::ranges::find(stops, part.stop_reason) != stops.end()) return part.stop_reason;
  int32_t id = 0;
  std::from_chars(part.stop_reason.data(), part.stop_reason.data() + part.stop_reason.size(), id);
  return id;
}

std::optional<Part> PartReader::read(const Delta& delta) {
  next_.token_ids.insert(next_.token_ids.end(), delta.token_ids.begin(), delta.token_ids.end());
  next_.logprobs.insert(next_.logprobs.end(), delta.logprobs.begin(), delta.logprobs.end());
  next_.finish_reason = delta.finish_reason;
  next_.stop_reason = delta.stop_reason;
  const bool ended = delta.finish_reason != FinishReason::kNone;
  if (parser_ == nullptr) {
    if (!delta.text.empty()) keep({{.kind = Kind::kContent, .index = 0, .text = delta.text}});
  } else {
    keep(parser_->feed(delta.text));
    if (ended) keep(parser_->finish());
  }
  if (next_.pieces.empty() && !ended) return std::nullopt;
  const bool called_tools = next_.called_tools;
  Part part = std::exchange(next_, {});
  next_.called_tools = called_tools;
  return part;
}

void PartReader::keep(std::vector<Piece> pieces) {
  for (Piece& piece : pieces) {
    const bool call = piece.kind == Kind::kToolCall || piece.kind == Kind::kToolArguments;
    if ((piece.kind == Kind::kReasoning && !with_reasoning_) || (call && single_call_ && piece.index > 0)) continue;
    next_.called_tools = next_.called_tools || call;
    add_piece(next_.pieces, std::move(piece));
  }
}

}  // namespace caravel::server::openai
