#pragma once

#include <set>
#include <string>
#include <string_view>

#include "chat/json_mender.h"
#include "chat/pieces.h"
#include "fields/json.h"

namespace caravel::chat {

using ToolNames = std::set<std::string, std::less<>>;

/// Of OpenAI's list.
ToolNames names_of(const Json& tools);

/// What a name is made of where nothing else marks its end.
bool is_tool_name_byte(char byte);

/// Where a reader of one call stands after a byte.
enum class CallStatus : uint8_t {
  kMore,
  kDone,    // the byte is the call's last
  kEnded,   // the call was complete before the byte, which is not part of it, but for its closing brace
  kBroken,  // the call is announced, and its arguments cannot be read on from this byte
  kBad,     // the byte does not belong to a call
};

/// Reads {"name": ..., "arguments": {...}} byte by byte, in JSON's freedom of order and white space and what JsonMender
/// reads beside; "parameters" says the same as "arguments", and other members ("id", "type") are read over. The call is
/// announced as soon as its name is known, is that of a tool, and its arguments begin; they stream from there on.
class CallObject {
 public:
  CallObject(const ToolNames& tools, Pieces& out) : tools_(tools), out_(out) {}
  void reset();
  CallStatus feed(char byte);

  /// The reader of the arguments while they are read and the call is announced; else nullptr.
  const JsonMender* arguments() const {
    return state_ == State::kInValue && member_ == Member::kArguments && announced_ ? &mender_ : nullptr;
  }

 private:
  enum class State : uint8_t { kOpen, kFirstKey, kKey, kInKey, kColon, kBeforeValue, kInValue, kAfterValue };
  enum class Member : uint8_t { kName, kArguments, kOther };

  CallStatus begin_value(char byte);
  CallStatus in_value(char byte);
  CallStatus after_value(char byte);
  CallStatus end(CallStatus how);
  bool name_is_known();

  const ToolNames& tools_;
  Pieces& out_;
  JsonMender mender_;
  State state_ = State::kOpen;
  Member member_ = Member::kOther;
  std::string mended_;     // of the value that is being read, what a byte gave
  std::string text_;       // the key or name that is being read, as JSON
  std::string key_;        // unescaped
  std::string name_;       // empty: not read yet
  std::string arguments_;  // what came of them before the name
  bool has_arguments_ = false;
  bool announced_ = false;
};

}  // namespace caravel::chat
