#include "http/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.h"
#include "http/text.h"

namespace caravel::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kMaxClientId = 128;       // bytes that an X-Request-Id may have
constexpr int64_t kSmallBody = 16 << 10;   // not counted: no more than the connection itself
constexpr std::chrono::seconds kGrace{2};  // until what is in flight has ended, or a client has read our last words

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

}  // namespace

Connection::Connection(Shared& shared, Loop& loop, std::unique_ptr<Transport> transport, int64_t number)
    : shared_(shared),
      loop_(loop),
      transport_(std::move(transport)),
      number_(number),
      peer_(peer_of(transport_->socket())),
      incoming_(*transport_,
                {.header_bytes = shared.config.max_header_bytes, .body_bytes = shared.config.max_body_bytes}),
      something_to_do_(loop.context.get_executor()),
      answered_(loop.context.get_executor()),
      deadlines_(std::make_shared<Deadlines>(loop.context, [this](Deadline passed) { on_deadline(passed); })) {
  loop_.connections.insert(this);
}

Connection::~Connection() {
  close();
  loop_.connections.erase(this);
  if (shared_.connections-- >= shared_.config.max_connections && shared_.on_room) shared_.on_room();
}

void Connection::start() {
  const auto over = [self = shared_from_this()](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      log::error("a connection failed: {}", failure.what());
    }
    self->close();  // the other coroutine ends too
  };
  enter(Phase::kIdle);
  asio::co_spawn(loop_.context, read_loop(), over);
  asio::co_spawn(loop_.context, answer_loop(), over);
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  transaction_.reset();
  deadlines_->drop_all();
  error_code ignored;
  transport_->socket().close(ignored);
  something_to_do_.set();
  answered_.set();
}

awaitable<void> Connection::read_loop() {
  error_code error;
  co_await transport_->handshake(error);
  while (!error && receives()) {
    co_await receive();
    co_await watch();
  }
  if (phase_ == Phase::kLinger) co_await linger();
  close();
}

awaitable<void> Connection::receive() {
  while (receives()) {
    if (phase_ == Phase::kIdle && !incoming_.empty()) enter(Phase::kHead);
    const Incoming::Found found = parse();
    if (phase_ == Phase::kBody && !hold_body()) continue;
    if (found == Incoming::Found::kHead) {
      admit();
      if (phase_ != Phase::kBody || !incoming_.waits_for_continue()) continue;
      out_ = kContinue;
      const bool sent = co_await send();
      if (!sent) close();
    } else if (found == Incoming::Found::kRequest) {
      ++shared_.requests;
      enter(Phase::kAnswer);
      transaction_->handle(incoming_.take(), std::move(body_));
    } else if (receives()) {
      co_await fill();
    }
  }
}

/// Reads once more, unless it is too late.
awaitable<void> Connection::fill() {
  bool filled = false;
  if (phase_ != Phase::kLate) filled = co_await incoming_.fill();
  if (filled) co_return;
  if (phase_ == Phase::kLate) {
    refuse(error_response(408, "the request did not arrive in time", "request_timeout"));
  } else if (incoming_.ended() && (phase_ == Phase::kHead || phase_ == Phase::kBody)) {
    refuse(error_response(400, "the connection ended before the request did", "bad_request"));
  } else {
    close();
  }
}

/// Less than a request, and a refusal, where what was read is none.
Incoming::Found Connection::parse() {
  try {
    return incoming_.parse();
  } catch (const BadRequest& error) {
    refuse(error_response(error.status, error.what(), error.code));
    return Incoming::Found::kTooLittle;
  }
}

/// What has come of a body, in memory; false, and a refusal, where there is no room for it beside others.
bool Connection::hold_body() {
  const auto size = static_cast<int64_t>(incoming_.head().body.capacity());
  if (body_.resize(size > kSmallBody ? size : 0)) return true;
  body_.resize(0);
  std::string().swap(incoming_.head().body);
  refuse(
      retry_later(fmt::format("the bodies of requests take {} bytes, and there is memory for {}: send it again later",
                              shared_.config.bodies.used(), shared_.config.bodies.total())));
  return false;
}

/// At the end of a head: asks the gate.
void Connection::admit() {
  Request& head = incoming_.head();
  head.id = request_id();
  head.peer = peer_;
  ++requests_;
  body_ = shared_.config.bodies.part();
  const ResponseForm form = incoming_.form();
  takes_interim_ = form.takes_chunks;
  begin_transaction(form);
  enter(Phase::kBody);
  try {
    if (!shared_.gate) return;
    if (std::optional<Response> refusal = shared_.gate(head)) refuse(std::move(*refusal));
  } catch (const std::exception& error) {
    log::error("{} {}: {}", head.method, head.path, error.what());
    refuse(internal_error());
  }
}

/// Of the request that is being read, whose head may not be whole: the client's own, or else one that is like no other.
std::string Connection::request_id() {
  const Request& head = incoming_.head();
  if (!head.id.empty()) return head.id;
  const std::optional<std::string_view> id = head.headers.find("X-Request-Id");
  return id && is_printable(*id) ? std::string(*id) : fmt::format("{:x}-{}", number_, requests_);
}

/// Answers without a handler, and ends the connection.
void Connection::refuse(Response response) {
  // The gate's answers have it already.
  if (!response.headers.find("X-Request-Id")) response.headers.add("X-Request-Id", request_id());
  ++shared_.bad_requests;
  if (!transaction_) begin_transaction({});
  enter(Phase::kRefusal);
  transaction_->refuse(std::move(response));
}

void Connection::begin_transaction(const ResponseForm& form) {
  transaction_ = std::make_shared<Transaction>(shared_, loop_, out_, form, [this] { something_to_do_.set(); });
}

/// A client that goes away is seen here; what it sends meanwhile is the next request.
awaitable<void> Connection::watch() {
  while (phase_ == Phase::kAnswer || phase_ == Phase::kRefusal) {
    if (phase_ == Phase::kRefusal || !incoming_.empty()) {
      co_await answered_.wait();
      continue;
    }
    const bool filled = co_await incoming_.fill();
    if (filled || phase_ == Phase::kLinger) continue;
    if (incoming_.ended() && phase_ == Phase::kAnswer && shared_.config.answer_half_closed) {
      co_await outlast();
    } else {
      close();
    }
  }
}

/// A client that has closed the connection as a whole answers a byte of ours with a reset.
awaitable<void> Connection::outlast() {
  transaction_->end_connection();
  probes_ = true;
  something_to_do_.set();
  co_await transport_->wait_for_reset();
  if (phase_ == Phase::kAnswer) close();
}

bool Connection::probe() {
  if (transaction_->begun()) {
    if (!transaction_->has_work()) return true;  // it is aside: later
    probes_ = false;
    return transaction_->probe();
  }
  probes_ = false;
  // An interim response, which every client skips (RFC 9110, section 15.2).
  if (takes_interim_) out_ = kContinue;
  return takes_interim_;
}

/// Closing with unread bytes would reset the connection, and the client might never see what we wrote last.
awaitable<void> Connection::linger() {
  error_code error;
  co_await transport_->shut_down(error);
  if (!error) co_await incoming_.discard();
}

awaitable<void> Connection::answer_loop() {
  while (phase_ != Phase::kClosed) {
    co_await something_to_do_.wait();
    if (probes_ && transaction_) {
      bool reached = probe();
      if (reached) reached = co_await send();
      if (!reached) close();
    }
    if (!transaction_ || !transaction_->has_work()) continue;
    bool goes_on = transaction_->advance();
    if (goes_on) {
      deadlines_->set(Deadline::kWake, transaction_->wake_time());
      goes_on = co_await send();
    }
    if (!goes_on) {
      close();
    } else if (transaction_->complete()) {
      end_transaction();
    }
  }
}

awaitable<bool> Connection::send() {
  for (size_t sent = 0; sent < out_.size();) {
    deadlines_->set(Deadline::kTaken, Clock::now() + shared_.config.write_timeout);
    error_code error;
    const asio::const_buffer rest(out_.data() + sent, out_.size() - sent);
    const size_t count = co_await transport_->write_some(rest, error);
    if (error || phase_ == Phase::kClosed) co_return false;
    sent += count;
  }
  deadlines_->drop(Deadline::kTaken);
  recycle(out_);
  co_return true;
}

/// The answer is written: on to the next request.
void Connection::end_transaction() {
  const bool goes_on = transaction_->keeps_alive() && !shared_.draining;
  transaction_.reset();
  enter(goes_on ? Phase::kIdle : Phase::kLinger);
  if (!goes_on) cancel();  // the read that watched the client
  answered_.set();
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  deadlines_->set(Deadline::kArrived, arrival_deadline());
}

Clock::time_point Connection::arrival_deadline() const {
  const Clock::time_point now = Clock::now();
  switch (phase_) {
    case Phase::kIdle:
      return now + (requests_ == 0 ? shared_.config.header_timeout : shared_.config.idle_timeout);
    case Phase::kHead:
      return now + shared_.config.header_timeout;
    case Phase::kBody:
      return now + shared_.config.body_timeout;
    case Phase::kLate:
    case Phase::kLinger:
      return now + kGrace;
    case Phase::kAnswer:
    case Phase::kRefusal:
    case Phase::kClosed:
      break;
  }
  return Deadlines::kNever;
}

void Connection::on_deadline(Deadline passed) {
  switch (passed) {
    case Deadline::kTaken: {
      ++shared_.dropped_slow_readers;
      // What the system still holds for it is of no use to anybody.
      error_code ignored;
      transport_->socket().set_option(asio::socket_base::linger(true, 0), ignored);
      close();
      break;
    }
    case Deadline::kArrived:
      if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
        enter(Phase::kLate);
        cancel();
      } else {
        close();
      }
      break;
    case Deadline::kWake:
      something_to_do_.set();
  }
}

/// What is in flight ends without a byte.
void Connection::cancel() {
  error_code ignored;
  transport_->socket().cancel(ignored);
}

}  // namespace caravel::http
