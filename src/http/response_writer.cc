#include "http/response_writer.h"

#include "base/check.h"

namespace caravel::http {

void ResponseWriter::respond(Response response) {
  CARAVEL_CHECK(state_ == State::kNothing);
  const bool no_body = response.status == 204 || response.status == 304;
  framing_ = no_body ? Framing::kNone : Framing::kLength;
  append_head(out_, response, framing_, form_.keep_alive);
  if (!form_.head_only && !no_body) out_ += response.body;
  state_ = State::kComplete;
}

void ResponseWriter::start(Response head) {
  CARAVEL_CHECK(state_ == State::kNothing);
  framing_ = form_.takes_chunks ? Framing::kChunked : Framing::kClose;
  if (framing_ == Framing::kClose) end_connection();
  append_head(out_, head, framing_, form_.keep_alive);
  state_ = State::kStreaming;
}

void ResponseWriter::write(std::string_view piece) {
  CARAVEL_CHECK(state_ == State::kStreaming);
  if (!form_.head_only) piece_ += piece;
}

void ResponseWriter::end() {
  CARAVEL_CHECK(state_ == State::kStreaming);
  state_ = State::kComplete;
}

void ResponseWriter::pack() {
  if (framing_ == Framing::kChunked) {
    append_chunk(out_, piece_);
    if (complete() && !form_.head_only) out_ += kLastChunk;
  } else {
    out_ += piece_;
  }
  recycle(piece_);
  packed_ = packed_ || !out_.empty();
}

bool ResponseWriter::replace(Response response) {
  if (packed_) return false;
  out_.clear();
  piece_.clear();
  state_ = State::kNothing;
  respond(std::move(response));
  return true;
}

}  // namespace caravel::http
