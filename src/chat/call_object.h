#pragma once

#include <set>
#include <string>
#include <string_view>

#include "chat/json_scanner.h"
#include "chat/pieces.h"

namespace caravel::chat {

using ToolNames = std::set<std::string, std::less<>>;

/// Where a reader of one call stands after a byte.
enum class CallStatus : uint8_t {
  kMore,
  kDone,  // the byte is the call's last
  kBad,   // the byte does not belong to a call
};

/// Reads {"name": ..., "arguments": {...}} byte by byte, in JSON's freedom of order and white space; "parameters" says
/// the same as "arguments", and other members ("id", "type") are read over. The call is announced as soon as its name
/// is known, is that of a tool, and its arguments begin; they stream from there on.
class CallObject {
 public:
  CallObject(const ToolNames& tools, Pieces& out) : tools_(tools), out_(out) {}
  void reset();
  CallStatus feed(char byte);

 private:
  enum class State : uint8_t { kOpen, kFirstKey, kKey, kInKey, kColon, kBeforeValue, kInValue, kAfterValue };
  enum class Member : uint8_t { kName, kArguments, kOther };

  CallStatus begin_value(char byte);
  CallStatus in_value(char byte);
  CallStatus after_value(char byte);
  bool name_is_known();

  const ToolNames& tools_;
  Pieces& out_;
  JsonScanner scanner_;
  State state_ = State::kOpen;
  Member member_ = Member::kOther;
  std::string text_;       // the key or name that is being read, as written
  std::string key_;        // unescaped
  std::string name_;       // empty: not read yet
  std::string arguments_;  // what came of them before the name
  bool has_arguments_ = false;
  bool announced_ = false;
};

}  // namespace caravel::chat
