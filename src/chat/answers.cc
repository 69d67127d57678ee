#include "chat/answers.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/call_ids.h"

namespace caravel::chat {
namespace {

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

/// Takes one answer apart, delta by delta.
class AnswerReader {
 public:
  explicit AnswerReader(const AnswerLayout& layout)
      : layout_(layout), parser_(make_output_parser(layout.format, layout.tools, layout.marks)) {}

  /// What can be told by now; nothing while all of it waits.
  std::optional<Delta> read(Delta delta) {
    next_.index = delta.index;
    next_.text += delta.text;
    next_.token_ids.insert(next_.token_ids.end(), delta.token_ids.begin(), delta.token_ids.end());
    std::ranges::move(delta.logprobs, std::back_inserter(next_.logprobs));
    next_.finish_reason = delta.finish_reason;
    next_.stop_reason = std::move(delta.stop_reason);
    keep(parser_->feed(delta.text));
    const bool ended = delta.finish_reason != FinishReason::kNone;
    if (ended) keep(parser_->finish());
    if (next_.pieces.empty() && !ended) return std::nullopt;
    return std::exchange(next_, {});
  }

 private:
  void keep(std::vector<Piece> pieces) {
    for (Piece& piece : pieces) {
      const bool call = piece.kind == Kind::kToolCall || piece.kind == Kind::kToolArguments;
      if (piece.kind == Kind::kReasoning && !layout_.with_reasoning) continue;
      if (piece.kind == Kind::kContent && layout_.calls_alone) continue;
      if (call && layout_.single_call && piece.index > 0) continue;
      add_piece(next_.pieces, std::move(piece));
    }
  }

  const AnswerLayout& layout_;
  std::unique_ptr<OutputParser> parser_;
  Delta next_;
};

class AnswersHandle final : public RequestHandle {
 public:
  AnswersHandle(std::unique_ptr<RequestHandle> handle, AnswerLayout layout)
      : handle_(std::move(handle)), layout_(std::move(layout)) {}

  const std::string& id() const override { return handle_->id(); }
  void cancel() override { handle_->cancel(); }
  std::vector<std::string> schema_annotations() const override { return handle_->schema_annotations(); }

  Next next(Deadline deadline) override {
    while (true) {
      Next next = handle_->next(deadline);
      if (!next) return next;
      AnswerReader& reader = readers_.try_emplace(next->index, layout_).first->second;
      if (std::optional<Delta> delta = reader.read(std::move(*next))) {
        *next = *std::move(delta);
        return next;
      }
    }
  }

  const Result& result() override {
    if (!result_) {
      result_ = handle_->result();
      for (Completion& completion : result_->completions) take_apart(completion);
    }
    return *result_;
  }

 private:
  /// From the whole text: the pieces that were told, if any were, add up to the same.
  void take_apart(Completion& completion) const {
    const std::optional<Delta> whole =
        AnswerReader(layout_).read({.text = completion.text, .finish_reason = FinishReason::kStop});
    for (const Piece& piece : whole->pieces) {
      switch (piece.kind) {
        case Kind::kContent:
          completion.content += piece.text;
          break;
        case Kind::kReasoning:
          completion.reasoning += piece.text;
          break;
        case Kind::kToolCall:
          completion.tool_calls.push_back(
              {.id = make_call_id("call_", layout_.call_id_length), .name = piece.text, .arguments = ""});
          break;
        case Kind::kToolArguments:
          completion.tool_calls.back().arguments += piece.text;
          break;
      }
    }
  }

  std::unique_ptr<RequestHandle> handle_;
  const AnswerLayout layout_;
  std::map<int, AnswerReader> readers_;  // by the answer's index
  std::optional<Result> result_;
};

}  // namespace

std::unique_ptr<RequestHandle> read_answers(std::unique_ptr<RequestHandle> handle, AnswerLayout layout) {
  return std::make_unique<AnswersHandle>(std::move(handle), std::move(layout));
}

}  // namespace caravel::chat
