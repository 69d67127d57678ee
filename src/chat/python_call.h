#pragma once

#include <string>

#include "chat/call_object.h"

namespace caravel::chat {

/// Reads name(key=value, ...) as Python writes it, byte by byte, with literals as values: strings, numbers, True,
/// False, None, lists and dictionaries; name(**{...}) as well, all arguments in one dictionary. The call comes out
/// whole when its last parenthesis is read, its arguments as JSON.
class PythonCall {
 public:
  PythonCall(const ToolNames& tools, Pieces& out) : tools_(tools), out_(out) {}
  void reset();
  CallStatus feed(char byte);

  static bool begins_name(char byte);

 private:
  const ToolNames& tools_;
  Pieces& out_;
  std::string name_;
  std::string arguments_;  // as written, without the outer parentheses
  int depth_ = 0;          // open brackets; 0: in the name
  char quote_ = 0;         // opened the string that is being read
  bool escaped_ = false;   // the byte before was the string's backslash
};

}  // namespace caravel::chat
