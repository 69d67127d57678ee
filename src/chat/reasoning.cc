#include "chat/reasoning.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "chat/harmony.h"
#include "chat/json_mender.h"
#include "chat/pieces.h"

namespace caravel::chat {
namespace {

class ReasoningParser final : public OutputParser {
 public:
  ReasoningParser(const ReasoningMarks& marks, std::string_view calls, std::unique_ptr<OutputParser> rest)
      : marks_(marks),
        calls_(calls),
        rest_(std::move(rest)),
        state_(marks.opened_by_template ? State::kInside : State::kBefore) {}

  std::vector<Piece> feed(std::string_view text) override {
    size_t at = 0;
    while (at < text.size() && state_ != State::kRest) step(text[at++]);
    std::vector<Piece> pieces = out_.take();
    if (state_ == State::kRest) append(rest_->feed(unread() + std::string(text.substr(at))), pieces);
    return pieces;
  }

  std::vector<Piece> finish() override {
    if (state_ == State::kInside && !mark_.empty()) out_.reasoning(unread());
    std::vector<Piece> pieces = out_.take();
    if (state_ == State::kBefore) append(rest_->feed(unread()), pieces);
    append(rest_->finish(), pieces);
    return pieces;
  }

 private:
  enum class State : uint8_t { kBefore, kInside, kAfter, kRest };

  void step(char byte) {
    if (mark_.empty() && is_json_space(byte)) {
      space_ += byte;
      return;
    }
    mark_ += byte;
    if (state_ == State::kAfter) {
      space_.clear();
      state_ = State::kRest;
    } else if (state_ == State::kBefore) {
      if (!marks_.begin.starts_with(mark_)) state_ = State::kRest;
      if (mark_ == marks_.begin) enter(State::kInside);
    } else {
      while (!marks_.end.starts_with(mark_) && !calls_.starts_with(mark_)) no_mark();
      if (mark_ == marks_.end) enter(State::kAfter);
      if (!mark_.empty() && mark_ == calls_) state_ = State::kRest;
    }
  }

  void enter(State state) {
    space_.clear();
    mark_.clear();
    state_ = state;
  }

  /// The first byte of mark_ begins none: it is reasoning.
  void no_mark() {
    if (begun_) out_.reasoning(space_);
    begun_ = true;
    out_.reasoning(mark_.substr(0, 1));
    const size_t next = std::min(mark_.find_first_not_of(" \n\t\r", 1), mark_.size());
    space_ = mark_.substr(1, next - 1);
    mark_.erase(0, next);
  }

  std::string unread() { return std::exchange(space_, {}) + std::exchange(mark_, {}); }

  static void append(std::vector<Piece> more, std::vector<Piece>& pieces) {
    pieces.insert(pieces.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  const ReasoningMarks marks_;
  const std::string_view calls_;  // opens calls
  std::unique_ptr<OutputParser> rest_;
  State state_;
  Pieces out_;
  std::string space_;   // white space that a mark may follow
  std::string mark_;    // may become a mark
  bool begun_ = false;  // something of the reasoning has come out
};

/// What marks a reasoning part, in the templates that have one.
constexpr std::pair<std::string_view, std::string_view> kReasoningMarks[] = {
    {"<think>", "</think>"}, {"[THINK]", "[/THINK]"}, {"<seed:think>", "</seed:think>"}};

}  // namespace

ReasoningMarks reasoning_marks(std::string_view chat_template, std::string_view prompt) {
  if (has_channels(chat_template)) return {.begin = "<|channel|>", .end = "<|message|>", .in_channels = true};
  for (const auto& [begin, end] : kReasoningMarks) {
    // Some templates only cut former reasoning off, by its end.
    if (chat_template.find(end) == std::string_view::npos) continue;
    const std::string_view shown = prompt.substr(0, prompt.find_last_not_of(" \n\t\r") + 1);
    return {std::string(begin), std::string(end), shown.ends_with(begin)};
  }
  return {};
}

std::unique_ptr<OutputParser> make_reasoning_parser(const ReasoningMarks& marks, std::string_view calls,
                                                    std::unique_ptr<OutputParser> rest) {
  return std::make_unique<ReasoningParser>(marks, calls, std::move(rest));
}

}  // namespace caravel::chat
