#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace caravel::chat {

inline bool is_json_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

/// Follows one JSON value (RFC 8259) byte by byte, from its first byte on; bytes of UTF-8 characters pass as they come.
class JsonScanner {
 public:
  enum class Status : uint8_t {
    kMore,   // the value goes on after this byte
    kDone,   // this byte is its last
    kEnded,  // it was complete before this byte, which is not part of it: numbers alone
    kBad,    // this is no JSON
  };
  /// Not to be called again after anything but kMore.
  Status feed(char byte);
  void reset();

 private:
  enum class State : uint8_t {
    kValue,
    kFirstElement,  // a value or ]
    kFirstKey,      // a key or }
    kKey,
    kColon,
    kAfterValue,  // a comma, or what closes the innermost array or object
    kString,
    kEscape,
    kHex,
    kLiteral,
    kMinus,
    kZero,
    kInteger,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };

  Status value(char byte);
  Status string(char byte);
  Status number(char byte);
  Status after_value(char byte);
  Status open(char bracket);
  Status close();

  static constexpr size_t kMaxDepth = 256;  // deeper ones are refused, as JSON readers do

  State state_ = State::kValue;
  bool in_key_ = false;
  int hex_left_ = 0;
  std::string_view literal_;  // what is still to come of true, false or null
  std::vector<char> open_;    // { and [, outermost first
};

}  // namespace caravel::chat
