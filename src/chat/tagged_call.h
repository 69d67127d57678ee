#pragma once

#include <set>
#include <string>
#include <string_view>

#include "chat/argument_kinds.h"
#include "chat/call_object.h"

namespace caravel::chat {

/// How a format tags what a call consists of.
struct CallTags {
  std::string_view key;        // before an argument's name
  std::string_view key_end;    // behind it
  std::string_view value;      // before its value, though models leave it out; empty: there is none
  std::string_view value_end;  // behind it
  std::string_view end;        // closes the call
  std::string_view outer_end;  // closes all calls, and with them one that was left open; empty: there is none
  std::string_view next;       // opens the next call, and so ends one that was left open
  bool own_lines = false;      // a value has lines of its own: a line break at either end is not the value's
};

/// Reads a call whose arguments are tagged one by one, from behind its name on. Values are plain text: what they are is
/// said by the tool's schema (argument_json()). Strings stream as they are written, byte for byte, other values come
/// out whole. In place of tagged arguments there may be one JSON object of all, which is how forced calls are written.
/// Text between arguments, a name without a value, and what comes for a name that had one are read over. The call is
/// announced at its first argument or its end.
class TaggedCall {
 public:
  /// What ended a call.
  enum class End : uint8_t { kCall, kAllCalls, kNextCall };

  TaggedCall(const CallTags& tags, const Json& tools, Pieces& out) : tags_(tags), tools_(tools), out_(out) {}
  /// name: a tool's.
  void begin(std::string_view name);
  /// kMore, kDone (see ended_by()), kBroken (by what object() holds) or kBad.
  CallStatus feed(char byte);
  End ended_by() const { return ended_by_; }

  /// The reader of one object of all arguments, while it is read; else nullptr.
  const JsonMender* object() const { return state_ == State::kObject ? &mender_ : nullptr; }
  /// What of the arguments waits for what follows it.
  std::string held() const;

 private:
  enum class State : uint8_t { kBetween, kKey, kBeforeValue, kValue, kObject };

  void announce();
  CallStatus tag(char byte);
  CallStatus key(char byte);
  CallStatus value(char byte);
  CallStatus object(char byte);
  CallStatus end(End by);
  void begin_value(std::string_view tag);
  void put(char byte);

  const CallTags& tags_;
  const Json& tools_;
  Pieces& out_;
  JsonMender mender_;
  std::string mended_;  // what a byte of the object gave
  State state_ = State::kBetween;
  End ended_by_ = End::kCall;
  std::string name_;
  std::string mark_;  // may become a tag
  std::string text_;  // of the key or value that is being read
  JsonKinds kinds_ = 0;
  bool at_value_ = false;    // nothing of the value has come
  bool line_ended_ = false;  // a line break of the value waits for what follows it
  bool announced_ = false;
  std::set<std::string> arguments_;  // names of those that have begun
  bool is_again_ = false;            // the value is of an argument that had one, and is read over
  bool is_closed_ = false;           // the object of all arguments has been read
};

}  // namespace caravel::chat
