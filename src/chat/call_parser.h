#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/call_object.h"
#include "chat/pieces.h"

namespace caravel::chat {

/// What the formats share: it finds where calls may begin, keeps what has been read until it is known to be a call, and
/// gives it out as content where it is none. Every decision is taken byte by byte, so cuts cannot change one. White
/// space right before a call, between calls and after the last one is not content.
///
/// A call is certain once its name is known and its arguments begin. If they then turn out unreadable, they go on as
/// they are written, up to the mark that closes the call, the next call's, or the end of the answer.
class CallParser : public OutputParser {
 public:
  explicit CallParser(ToolNames tools) : tools_(std::move(tools)) {}
  std::vector<Piece> feed(std::string_view text) final;
  std::vector<Piece> finish() final;

 protected:
  enum class Match : uint8_t { kNo, kPartly, kWhole };
  enum class Read : uint8_t {
    kMore,
    kDone,      // the byte is the last of the calls, closing mark included
    kAgain,     // a call was complete before the byte, which is to be read again
    kNext,      // a call ended with what opens the next, whose last byte this is: the ending that opens
    kBroken,    // the call's arguments cannot be read on from this byte; see broken()
    kNotCalls,  // the byte, and what came since the last call, do not belong to calls
    kOwn,       // as kMore; the byte, and what came since the last call, are the calls' whatever follows
  };
  /// A mark that ends arguments which cannot be read.
  struct Ending {
    std::string_view mark;
    bool opens = false;        // it is the next call's
    bool more_follow = false;  // it closes one of several: go_on() is told, and reads what comes
  };

  /// Whether `text`, which begins with no white space, is (the beginning of) what opens calls. at_start: nothing but
  /// white space came before it.
  virtual Match opens(std::string_view text, bool at_start) const = 0;
  /// Calls may follow `opening`.
  virtual void begin(std::string_view opening) = 0;
  virtual Read read(char byte) = 0;
  /// Whether the answer may end here: between calls, or within what closes them.
  virtual bool may_end() const = 0;
  virtual std::span<const Ending> endings() const = 0;
  /// The brackets between the arguments and the ending, innermost first.
  virtual std::string_view brackets() const { return "}"; }
  /// The reader of the arguments of a call that has been announced and goes on; else nullptr.
  virtual const JsonMender* arguments() const { return object_.arguments(); }
  /// What of such a call's arguments waits for what follows it.
  virtual std::string held() const { return arguments() == nullptr ? std::string() : arguments()->held(); }
  /// A call whose arguments could not be read has ended: read() is between calls.
  virtual void go_on() {}

  /// Whether `text` is a beginning of `mark`, or all of it.
  static Match match(std::string_view text, std::string_view mark);
  /// kBroken, with what arguments() holds.
  Read broken();

  const ToolNames tools_;
  Pieces out_;
  CallObject object_{tools_, out_};

 private:
  /// Arguments that cannot be read, from the byte on that broke them.
  struct Broken {
    std::string closing;    // what the arguments lack if the ending comes at once
    std::string tail;       // white space and closing brackets, which may be the call's
    bool has_text = false;  // something but a tail has come
  };

  void take(char byte);
  void text_byte(char byte);
  void call_byte(char byte);
  void broken_byte(char byte);
  void end_broken();
  void content(std::string_view text);

  bool reading_calls_ = false;
  bool is_broken_ = false;
  Broken broken_;
  std::string held_;         // what the arguments' reader held when they broke
  bool at_start_ = true;     // no content and no call yet
  bool after_call_ = false;  // no content since the last call
  std::string space_;        // white space that a call may follow
  std::string mark_;         // may become an opening or ending; or what was read since the last call, opening included
  int calls_before_ = 0;     // calls when this opening came
};

}  // namespace caravel::chat
