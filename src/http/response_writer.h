#pragma once

#include <string>
#include <string_view>

#include "http/http.h"
#include "http/text.h"

namespace caravel::http {

/// How a response is to be written, as its request wants it.
struct ResponseForm {
  bool head_only = false;    // HEAD
  bool takes_chunks = true;  // HTTP/1.1
  bool keep_alive = true;    // the connection goes on afterwards
};

/// Puts one response into the bytes of HTTP/1.1: head, framing, and what HEAD, HTTP/1.0 and a connection that ends make
/// of it. Who calls it sends the bytes. One thread at a time.
class ResponseWriter final : public Writer {
 public:
  /// Appends to `out`, which its owner sends and empties after each pack().
  ResponseWriter(std::string& out, const ResponseForm& form) : out_(out), form_(form) {}

  void respond(Response response) override;
  void start(Response head) override;
  void write(std::string_view piece) override;
  void end() override;

  /// The response says that the connection ends with it, if its head is not written yet; and it does in any case.
  void end_connection() { form_.keep_alive = false; }
  /// Makes one chunk of all pieces since the last call, and the end of the body behind the last.
  void pack();
  /// Instead of all that was written since the last pack(). False: something was packed before.
  bool replace(Response response);

  /// Some of the response is there.
  bool begun() const { return state_ != State::kNothing; }
  bool complete() const { return state_ == State::kComplete; }
  /// The connection goes on after it.
  bool keeps_alive() const { return form_.keep_alive; }

 private:
  enum class State { kNothing, kStreaming, kComplete };

  std::string& out_;
  std::string piece_;  // what was written of a streamed body since the last pack()
  ResponseForm form_;
  Framing framing_ = Framing::kNone;
  State state_ = State::kNothing;
  bool packed_ = false;  // some of it
};

}  // namespace caravel::http
