#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace caravel::chat {

inline bool is_json_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

/// A byte of a text as it stands within a JSON string.
std::string json_escaped(char byte);

/// Follows one JSON value byte by byte, from its first byte on, and gives it out as strict JSON (RFC 8259). What is
/// strict comes out as it went in; bytes of UTF-8 characters pass as they come. Read as well is what models write in
/// JSON's place, where it can mean one thing alone:
///   raw control characters in a string, such as line breaks and tabs: their escapes
///   an escape that JSON does not have: \' and \xNN as in Python, else a backslash (\d is \\d)
///   strings in single quotes; keys without quotes, made of letters, digits, _, $ and -
///   True, False, None
///   a comma before a closing bracket: none
class JsonMender {
 public:
  enum class Status : uint8_t {
    kMore,   // the value goes on after this byte
    kDone,   // this byte is its last
    kEnded,  // it was complete before this byte, which is not part of it: numbers and words alone
    kBad,    // the byte cannot be read: nothing of it has been given out
  };
  /// Appends to `out` what is certain by now. Not to be called again after anything but kMore.
  Status feed(char byte, std::string& out);
  void reset();

  /// What has been read and waits for what follows it, as it was written.
  const std::string& held() const { return held_; }
  /// The brackets that are missing where nothing else is; else empty.
  std::string closing() const;

 private:
  enum class State : uint8_t {
    kValue,
    kFirstElement,  // a value or ]
    kFirstKey,      // a key or }
    kKey,
    kColon,
    kAfterValue,  // a comma, or what closes the innermost array or object
    kComma,       // the comma is held
    kString,
    kEscape,  // the backslash and what follows are held until it is known what they mean
    kHex,
    kWord,     // held, whole
    kWordKey,  // held with white space behind it, up to the colon
    kMinus,
    kZero,
    kInteger,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };

  Status space(char byte, std::string& out);
  Status value(char byte, std::string& out);
  Status key(char byte, std::string& out);
  Status string(char byte, std::string& out);
  Status escape(char byte, std::string& out);
  Status hex(char byte, std::string& out);
  Status word(char byte, std::string& out);
  Status word_key(char byte, std::string& out);
  Status number(char byte, std::string& out);
  Status ended(char byte, std::string& out);
  Status comma(char byte, std::string& out);
  Status after_value(char byte, std::string& out);
  Status open(char bracket, std::string& out);
  Status close();
  Status begin_string(char quote, std::string& out);
  void release(std::string& out) { out += std::exchange(held_, {}); }

  static constexpr size_t kMaxDepth = 256;  // deeper ones are refused, as JSON readers do

  State state_ = State::kValue;
  bool in_key_ = false;
  char quote_ = '"';  // that opened the string
  int hex_left_ = 0;
  std::string held_;
  std::vector<char> open_;  // { and [, outermost first
};

}  // namespace caravel::chat
