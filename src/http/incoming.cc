#include "http/incoming.h"

#include <utility>

#include "http/text.h"

namespace caravel::http {
namespace {

constexpr size_t kReadAhead = 4 << 10;  // bytes of an idle connection's buffer
constexpr size_t kBodyRead = 64 << 10;  // bytes read at once into a body

}  // namespace

Incoming::Incoming(Transport& transport, const ReaderLimits& limits)
    : transport_(transport), limits_(limits), reader_(limits) {}

Incoming::Found Incoming::parse() {
  using State = RequestReader::State;
  for (;;) {
    const bool in_head = reader_.state() == State::kHead;
    const size_t taken = reader_.read(in_);
    in_.erase(0, taken);
    if (in_head && reader_.state() != State::kHead) return Found::kHead;
    if (reader_.state() == State::kComplete) return Found::kRequest;
    if (taken == 0 || in_.empty()) return Found::kTooLittle;
  }
}

awaitable<bool> Incoming::fill() {
  const size_t size = in_.size();
  in_.resize(size + (reader_.state() == RequestReader::State::kBody ? kBodyRead : kReadAhead));
  error_code error;
  const size_t count = co_await transport_.read_some(asio::buffer(in_.data() + size, in_.size() - size), error);
  in_.resize(size + count);
  ended_ = error == asio::error::eof;
  co_return !error;
}

awaitable<void> Incoming::discard() {
  error_code error;
  while (!error) {
    in_.resize(kReadAhead);
    co_await transport_.read_some(asio::buffer(in_), error);
  }
}

ResponseForm Incoming::form() {
  return {.head_only = reader_.request().method == "HEAD",
          .takes_chunks = reader_.takes_chunks(),
          .keep_alive = reader_.keep_alive()};
}

Request Incoming::take() {
  Request request = std::move(reader_.request());
  reader_ = RequestReader(limits_);
  if (in_.empty()) recycle(in_);
  return request;
}

}  // namespace caravel::http
