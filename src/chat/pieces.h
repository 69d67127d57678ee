#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/output_parser.h"

namespace caravel::chat {

/// The pieces that a parser has found since it was last asked; neighbours of one kind become one.
class Pieces {
 public:
  void content(std::string_view text) { add(Piece::Kind::kContent, 0, text); }
  void reasoning(std::string_view text) { add(Piece::Kind::kReasoning, 0, text); }

  void begin_call(std::string_view name) {
    pieces_.push_back({Piece::Kind::kToolCall, calls_++, std::string(name)});
    in_call_ = true;
  }
  /// More of the call that was begun last.
  void arguments(std::string_view text) { add(Piece::Kind::kToolArguments, calls_ - 1, text); }
  void end_call() { in_call_ = false; }

  int calls() const { return calls_; }
  bool in_call() const { return in_call_; }

  std::vector<Piece> take() { return std::exchange(pieces_, {}); }

 private:
  void add(Piece::Kind kind, int index, std::string_view text) {
    if (text.empty()) return;
    if (!pieces_.empty() && pieces_.back().kind == kind && pieces_.back().index == index) {
      pieces_.back().text += text;
    } else {
      pieces_.push_back({kind, index, std::string(text)});
    }
  }

  std::vector<Piece> pieces_;
  int calls_ = 0;
  bool in_call_ = false;
};

}  // namespace caravel::chat
