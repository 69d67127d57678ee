#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "caravel/result.h"
#include "chat/output_parser.h"
#include "fields/json.h"

namespace caravel::server::openai {

/// A stretch of one answer, taken apart. Stretches appended to each other are the answer, however it was cut.
struct Part {
  std::vector<chat::Piece> pieces;  // of neighbours no two are of one kind and call
  std::vector<int32_t> token_ids;
  std::vector<TokenLogprob> logprobs;
  FinishReason finish_reason = FinishReason::kNone;  // kStop, kLength; kCancelled: the time-out
  std::string stop_reason;                           // as Delta has it
  bool called_tools = false;                         // in the answer so far

  void append(Part part);
  /// The pieces of that kind (and call), joined.
  std::string joined(chat::Piece::Kind kind, int index = 0) const;
};

/// "stop", "length" (also for the time-out) or "tool_calls"; null while it goes on.
Json finish_reason_json(const Part& part);
/// vLLM's stop_reason: the stop string or the id that ended it, "timeout", or null. stops: the request's stop strings.
Json stop_reason_json(const Part& part, const std::vector<std::string>& stops);

/// Makes parts from what the engine gives of one answer.
class PartReader {
 public:
  /// parser: nullptr where the text is content as it is. single_call: calls after the first are left out.
  PartReader(std::unique_ptr<chat::OutputParser> parser, bool with_reasoning, bool single_call)
      : parser_(std::move(parser)), with_reasoning_(with_reasoning), single_call_(single_call) {}

  /// What is new. Tokens whose text waits for more come with the text, so a part without pieces is the last one or
  /// there is none: nothing is lost, and no part is idle.
  std::optional<Part> read(const Delta& delta);

 private:
  void keep(std::vector<chat::Piece> pieces);

  std::unique_ptr<chat::OutputParser> parser_;
  bool with_reasoning_;
  bool single_call_;
  Part next_;
};

}  // namespace caravel::server::openai
