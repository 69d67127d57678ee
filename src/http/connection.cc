#include "http/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <exception>

#include "base/check.h"
#include "base/log.h"
#include "http/text.h"

namespace caravel::http {
namespace {

constexpr size_t kReadAhead = 4 << 10;      // bytes of an idle connection's buffer
constexpr size_t kBodyRead = 64 << 10;      // bytes read at once into a body
constexpr size_t kKeptBuffer = 64 << 10;    // bytes of capacity that stay with a connection
constexpr size_t kMaxClientId = 128;        // of X-Request-Id
constexpr std::chrono::seconds kLinger{2};  // for a client to read our last words

void shrink(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBuffer) buffer.shrink_to_fit();
}

bool is_printable(std::string_view text) {
  return !text.empty() && text.size() <= kMaxClientId &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string peer_of(const tcp::socket& socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return {};
  const std::string address = peer.address().to_string();
  return peer.address().is_v6() ? fmt::format("[{}]:{}", address, peer.port())
                                : fmt::format("{}:{}", address, peer.port());
}

Response internal_error() { return error_response(500, "The server failed on this request.", "internal_error"); }

}  // namespace

Loop::Loop() : wakes(std::make_shared<WakeQueue>([this] { asio::post(context, [this] { wakes->drain(); }); })) {}

void Shared::begin_answer() {
  const std::lock_guard lock(mutex_);
  ++answers_;
}

void Shared::end_answer() {
  const std::lock_guard lock(mutex_);
  if (--answers_ == 0) no_answers_.notify_all();
}

bool Shared::wait_for_answers(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return no_answers_.wait_for(lock, limit, [this] { return answers_ == 0; });
}

Connection::Connection(Shared& shared, Loop& loop, asio::thread_pool& handlers, std::unique_ptr<Transport> transport,
                       int64_t number)
    : shared_(shared),
      loop_(loop),
      handlers_(handlers),
      transport_(std::move(transport)),
      number_(number),
      peer_(peer_of(transport_->socket())),
      something_to_do_(loop.context.get_executor()),
      answered_(loop.context.get_executor()),
      timer_(loop.context) {
  loop_.connections.insert(this);
}

Connection::~Connection() {
  close();
  loop_.connections.erase(this);
  if (shared_.connections-- >= shared_.config.max_connections && shared_.on_room) shared_.on_room();
}

void Connection::start() {
  if (shared_.draining) return;
  const auto over = [](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      log::error("a connection failed: {}", failure.what());
    }
  };
  asio::co_spawn(loop_.context, read_loop(shared_from_this()), over);
  asio::co_spawn(loop_.context, answer_loop(shared_from_this()), over);
}

void Connection::drain() {
  if (phase_ != Phase::kBody && phase_ != Phase::kAnswer) close();
}

awaitable<void> Connection::read_loop([[maybe_unused]] std::shared_ptr<Connection> self) {
  error_code error;
  enter(Phase::kIdle, shared_.config.header_timeout);
  co_await transport_->handshake(error);
  if (!error) {
    for (bool goes_on = true; goes_on;) {
      goes_on = co_await serve_one();
      if (goes_on) enter(Phase::kIdle, shared_.config.idle_timeout);
    }
    if (refusal_) co_await refuse();
  }
  if (!closed_ && !error && !exchange_ && !keeps_alive()) co_await linger();
  close();
}

/// From a request to the end of its answer; false: there will be no other.
awaitable<bool> Connection::serve_one() {
  RequestReader reader({.header_bytes = shared_.config.max_header_bytes, .body_bytes = shared_.config.max_body_bytes});
  const bool complete = co_await read_request(reader);
  if (!complete) co_return false;
  dispatch(reader);
  while (exchange_) {
    if (!in_.empty()) {
      co_await answered_.wait();
      continue;
    }
    const bool filled = co_await fill();
    if (!filled) co_return false;
  }
  co_return !closed_ && keeps_alive();
}

awaitable<bool> Connection::read_request(RequestReader& reader) {
  using State = RequestReader::State;
  State state = State::kHead;
  bool reads = true;
  head_only_ = false;
  for (;;) {
    if (!in_.empty() && phase_ == Phase::kIdle) enter(Phase::kHead, shared_.config.header_timeout);
    try {
      const size_t taken = reader.read(in_);
      in_.erase(0, taken);
      reads = taken == 0 || in_.empty();
    } catch (const BadRequest& error) {
      refusal_ = error_response(error.status, error.what(), error.code);
    }
    if (!refusal_ && state == State::kHead && reader.state() != State::kHead && admit(reader.request())) {
      enter(Phase::kBody, shared_.config.body_timeout);
      if (reader.expects_continue() && in_.empty()) {
        out_ = "HTTP/1.1 100 Continue\r\n\r\n";
        const bool flushed = co_await flush();
        if (!flushed) co_return false;
      }
    }
    if (refusal_) {
      ++shared_.bad_requests;
      co_return false;
    }
    state = reader.state();
    if (state == State::kComplete) break;
    if (!reads) continue;
    const bool filled = co_await fill();
    if (!filled && timed_out_ && phase_ != Phase::kIdle) {
      ++shared_.bad_requests;
      refusal_ = error_response(408, "the request did not arrive in time", "request_timeout");
    }
    if (!filled) co_return false;
  }
  co_return true;
}

bool Connection::admit(Request& request) {
  const std::optional<std::string_view> id = request.headers.find("X-Request-Id");
  request.id = id && is_printable(*id) ? std::string(*id) : fmt::format("{:x}-{}", number_, requests_);
  request.peer = peer_;
  ++requests_;
  head_only_ = request.method == "HEAD";
  try {
    if (shared_.gate) refusal_ = shared_.gate(request);
  } catch (const std::exception& error) {
    log::error("{} {}: {}", request.method, request.path, error.what());
    refusal_ = internal_error();
  }
  if (refusal_) return false;
  counted_ = true;
  shared_.begin_answer();
  return true;
}

/// Reads once into in_, behind what is there. False: the client has gone, or a deadline has passed.
awaitable<bool> Connection::fill() {
  if (closed_ || timed_out_) co_return false;
  const size_t size = in_.size();
  in_.resize(size + (phase_ == Phase::kBody ? kBodyRead : kReadAhead));
  error_code error;
  const size_t count = co_await transport_->read_some(asio::buffer(in_.data() + size, in_.size() - size), error);
  in_.resize(size + count);
  co_return !error && !closed_;
}

/// Writes out_. False: the client has gone, or takes nothing.
awaitable<bool> Connection::flush() {
  for (size_t sent = 0; sent < out_.size();) {
    write_deadline_ = Clock::now() + shared_.config.write_timeout;
    arm_timer();
    error_code error;
    const asio::const_buffer rest(out_.data() + sent, out_.size() - sent);
    const size_t count = co_await transport_->write_some(rest, error);
    if (error || closed_) co_return false;
    sent += count;
  }
  write_deadline_ = kNever;
  shrink(out_);
  co_return true;
}

/// Answers without a handler, and ends the connection.
awaitable<void> Connection::refuse() {
  keep_alive_ = false;
  append_head(out_, *refusal_, Framing::kLength, false);
  if (!head_only_) out_ += refusal_->body;
  timed_out_ = false;
  enter(Phase::kAnswer, shared_.config.write_timeout);
  const bool flushed = co_await flush();
  if (!flushed) close();
  leave_answer();
}

/// Ends our side and waits a little for the client's: closing with unread bytes would reset the connection, and the
/// client might never see what we wrote last.
awaitable<void> Connection::linger() {
  enter(Phase::kLinger, kLinger);
  timed_out_ = false;
  error_code error;
  co_await transport_->shut_down(error);
  while (!error && !closed_) {
    in_.resize(kReadAhead);
    co_await transport_->read_some(asio::buffer(in_), error);
  }
}

void Connection::dispatch(RequestReader& reader) {
  ++shared_.requests;
  if (in_.empty()) shrink(in_);
  keep_alive_ = reader.keep_alive();
  takes_chunks_ = reader.takes_chunks();
  answer_ = Answer::kNone;
  answer_sent_ = false;
  phase_ = Phase::kAnswer;
  read_deadline_ = kNever;
  timed_out_ = false;  // it may have passed as the last byte came
  exchange_ = std::make_shared<Exchange>();
  exchange_->request = std::move(reader.request());
  exchange_->wake_target->on_wake = [this] {
    exchange_->woken = true;
    something_to_do_.set();
  };
  const Wake wake = WakeQueue::wake_of(loop_.wakes, exchange_->wake_target);
  asio::post(handlers_, [self = shared_from_this(), exchange = exchange_, wake]() mutable {
    std::unique_ptr<Work> work;
    try {
      work = self->shared_.handler(exchange->request, wake);
    } catch (const std::exception& error) {
      log::error("{} {}: {}", exchange->request.method, exchange->request.path, error.what());
    }
    if (!work) work = ready(internal_error());
    // The connection and the work go back to the loop's thread, to be destroyed nowhere else.
    asio::io_context& context = self->loop_.context;
    asio::post(context, [connection = std::move(self), exchange = std::move(exchange),
                         work = std::move(work)]() mutable { connection->begin_work(exchange, std::move(work)); });
  });
}

void Connection::begin_work(const std::shared_ptr<Exchange>& exchange, std::unique_ptr<Work> work) {
  if (exchange_ != exchange) return;  // the client has gone
  exchange_->work = std::move(work);
  exchange_->woken = true;
  something_to_do_.set();
}

awaitable<void> Connection::answer_loop([[maybe_unused]] std::shared_ptr<Connection> self) {
  while (!closed_) {
    co_await something_to_do_.wait();
    while (exchange_ && exchange_->work && exchange_->woken) {
      exchange_->woken = false;
      bool goes_on = advance();
      wake_time_ = goes_on && answer_ != Answer::kComplete ? exchange_->work->wake_time() : kNever;
      arm_timer();
      if (goes_on) goes_on = co_await flush();
      if (!goes_on) {
        close();
      } else if (answer_ == Answer::kComplete) {
        end_exchange();
      }
    }
  }
}

/// Lets the work write into out_; false: it failed in the midst of its answer.
bool Connection::advance() {
  try {
    exchange_->work->advance(*this);
  } catch (const std::exception& error) {
    log::error("{} {}: {}", exchange_->request.method, exchange_->request.path, error.what());
    if (answer_sent_) return false;
    out_.clear();
    piece_.clear();
    answer_ = Answer::kNone;
    respond(internal_error());
  }
  if (!piece_.empty()) {
    if (takes_chunks_) {
      append_chunk(out_, piece_);
    } else {
      out_ += piece_;
    }
    shrink(piece_);
  }
  if (answer_ == Answer::kComplete && streamed_ && takes_chunks_ && !head_only_) out_ += kLastChunk;
  answer_sent_ = answer_sent_ || !out_.empty();
  return true;
}

void Connection::respond(Response response) {
  CARAVEL_CHECK(answer_ == Answer::kNone);
  const bool no_body = response.status == 204 || response.status == 304;
  append_head(out_, response, no_body ? Framing::kNone : Framing::kLength, keeps_alive());
  if (!head_only_ && !no_body) out_ += response.body;
  streamed_ = false;
  answer_ = Answer::kComplete;
}

void Connection::start(Response head) {
  CARAVEL_CHECK(answer_ == Answer::kNone);
  if (!takes_chunks_) keep_alive_ = false;
  append_head(out_, head, takes_chunks_ ? Framing::kChunked : Framing::kClose, keeps_alive());
  streamed_ = true;
  answer_ = Answer::kStreaming;
}

void Connection::write(std::string_view piece) {
  CARAVEL_CHECK(answer_ == Answer::kStreaming);
  if (!head_only_) piece_ += piece;
}

void Connection::end() {
  CARAVEL_CHECK(answer_ == Answer::kStreaming);
  answer_ = Answer::kComplete;
}

/// The answer is written: on to the next request.
void Connection::end_exchange() {
  exchange_->wake_target->on_wake = nullptr;
  exchange_.reset();
  wake_time_ = kNever;
  leave_answer();
  if (keeps_alive()) {
    enter(Phase::kIdle, shared_.config.idle_timeout);
  } else {
    error_code ignored;
    transport_->socket().cancel(ignored);  // the read that watched the client
  }
  answered_.set();
}

void Connection::leave_answer() {
  if (counted_) shared_.end_answer();
  counted_ = false;
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  if (exchange_) exchange_->wake_target->on_wake = nullptr;
  exchange_.reset();
  wake_time_ = kNever;
  leave_answer();
  error_code ignored;
  transport_->socket().close(ignored);
  timer_.cancel();
  something_to_do_.set();
  answered_.set();
}

void Connection::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  read_deadline_ = Clock::now() + limit;
  arm_timer();
}

/// The timer is left alone where it runs out before the next deadline, and then looks again: most deadlines are put off
/// or dropped long before they pass.
void Connection::arm_timer() {
  const Clock::time_point deadline = std::min({read_deadline_, write_deadline_, wake_time_});
  if (closed_ || deadline >= armed_) return;
  armed_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const std::shared_ptr<Connection> self = weak.lock();
    if (!error && self) self->on_timer();
  });
}

void Connection::on_timer() {
  if (closed_) return;
  armed_ = kNever;
  const Clock::time_point now = Clock::now();
  if (now >= write_deadline_) {
    ++shared_.dropped_slow_readers;
    // What the system still holds for it is of no use to anybody.
    error_code ignored;
    transport_->socket().set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  } else if (now >= read_deadline_) {
    if (phase_ == Phase::kLinger || timed_out_) {
      close();
    } else {
      timed_out_ = true;
      read_deadline_ = now + kLinger;  // for what is in flight to end
      error_code ignored;
      transport_->socket().cancel(ignored);
    }
  }
  if (now >= wake_time_) {
    wake_time_ = kNever;
    exchange_->woken = true;
    something_to_do_.set();
  }
  arm_timer();
}

}  // namespace caravel::http
