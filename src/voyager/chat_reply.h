#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chat/output_parser.h"
#include "fields/json.h"
#include "voyager/data_lines.h"
#include "voyager/model.h"

namespace caravel::voyager {

/// One reply of /v1/chat/completions as it comes: a stream of events, or a whole document from a server that streams
/// none. What stands in reasoning_content (or reasoning) or between <think> and </think> is set apart.
class ChatReply {
 public:
  /// on_piece: may be empty.
  explicit ChatReply(const OnPiece& on_piece);

  void feed(std::string_view bytes);
  /// The reply is complete, as far as HTTP knows. Empty: it is an answer; else why it is none, in one line.
  std::string finish();
  /// The server's own word in a stream or a document, {"error": {"code": 400}}; 0: it said none.
  int error_status() const { return error_status_; }

  /// Without cost and seconds. Tokens that the server did not count, or not as whole numbers from 0 to 10^9, are 0,
  /// and `counted` is off.
  ModelAnswer take() { return std::move(answer_); }

 private:
  void read_event(std::string_view data);
  void read_choice(const Json& choice, const char* part);
  void read_usage(const Json& usage);
  void read_error(const Json& json, std::string_view text);
  void add_text(std::string_view text);
  void add_pieces(const std::vector<Piece>& pieces);

  const OnPiece& on_piece_;
  std::unique_ptr<chat::OutputParser> parser_;  // of the text: reasoning marks
  DataLines lines_;
  std::string document_;
  enum class Form : uint8_t { kUnknown, kEvents, kDocument } form_ = Form::kUnknown;
  ModelAnswer answer_;
  std::string problem_;
  int error_status_ = 0;
  bool has_ended_ = false;  // a finish_reason or [DONE] has come
};

}  // namespace caravel::voyager
