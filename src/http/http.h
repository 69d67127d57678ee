#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"

namespace caravel::http {

/// Names keep their spelling and their order; looked up without regard to case.
class Headers {
 public:
  /// The first value of that name; nothing where there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// In place of all values of that name.
  void set(std::string_view name, std::string value);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// One request, read whole.
struct Request {
  std::string
      id;  // the connection's number and the request's on it, or the client's X-Request-Id where it is printable
  std::string method;  // upper case
  std::string path;    // percent-decoded, without the query
  std::string query;   // as it came, without the '?'
  Headers headers;
  std::string body;
  std::string peer;  // address and port
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// What Work writes its answer with: one whole response, or a head and then pieces of a body.
class Writer {
 public:
  virtual ~Writer() = default;
  /// The whole response.
  virtual void respond(Response response) = 0;
  /// The head of a streamed one (its body is empty), sent chunked.
  virtual void start(Response head) = 0;
  /// A piece of the body after start(); pieces of one advance() leave in one write.
  virtual void write(std::string_view piece) = 0;
  virtual void end() = 0;
};

/// An answer in work: pulled by the connection, so that a reader who is slow holds back nobody, and what came in the
/// meantime is joined. One thread at a time; destroyed when the answer is complete or the client has gone away.
class Work {
 public:
  virtual ~Work() = default;
  /// Called at first, after every wake() and when its wake_time() has come, whenever the connection can take something.
  /// Writes what there is, which may be nothing. Must not block. What it throws ends the connection (500 where nothing
  /// was sent).
  virtual void advance(Writer& writer) = 0;
  /// The client has ended its side of the connection, and perhaps all of it, and the answer has begun: writes what
  /// readers skip, which shows whether there are any, or lets what it writes anyhow show it. False: it has neither, and
  /// the client counts as gone.
  virtual bool probe(Writer& /*writer*/) { return false; }
  /// The next advance() may take milliseconds: it is called aside, on a thread of low priority, and what it writes
  /// leaves afterwards.
  virtual bool takes_long() const { return false; }
  /// The server is about to end: what is left to say is said by the next calls of advance(), soon.
  virtual void cut() {}
  /// Asked after each advance(), which is called at that time too if nothing has woken the work before; max: never.
  virtual Clock::time_point wake_time() const { return Clock::time_point::max(); }
};

/// Says that the Work of one exchange has something new. Any thread, any time, also after the exchange is gone; quick;
/// several calls may become one advance().
using Wake = std::function<void()>;

/// Answers a request at once, or with work that goes on. Called on a pool of threads: it may take its time
/// (rendering, tokenizing) without holding up other connections. What it throws becomes 500 with a message that says
/// nothing of the inside. `request` lives as long as the call. Work that it returns is advanced from then on; a wake()
/// before that is not lost.
using Handler = std::function<std::unique_ptr<Work>(const Request& request, const Wake& wake)>;

/// Work that is one response, ready.
std::unique_ptr<Work> ready(Response response);

/// Head of a request alone, as it comes: before the body is read. Nothing: go on. Else the response, after which the
/// connection is closed. (Keys, the Host header, draining.)
using Gate = std::function<std::optional<Response>(const Request& head)>;

struct ServerConfig {
  std::string host = "127.0.0.1";  // name or address
  uint16_t port = 8000;            // 0: a free one
  std::string certificate_file;    // PEM; with private_key_file: TLS
  std::string private_key_file;
  int threads = 1;                 // that read, write and advance
  int handler_threads = 4;         // that run handlers; four times as many where these are busy
  int max_queued_handlers = 1024;  // requests with a body that wait for such a thread; more are answered 429
  size_t max_header_bytes = 64 << 10;
  size_t max_body_bytes = 32 << 20;
  Budget bodies;                   // memory that bodies take from their first byte to the handler's end; beyond it: 429
  int max_connections = 8192;      // more wait in the system's queue
  bool answer_half_closed = true;  // a client that ends its side behind a request is answered while it can be reached
  std::chrono::milliseconds header_timeout{
      15'000};  // from the connection, or the request's first byte, to its end of head
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds idle_timeout{75'000};   // between requests
  std::chrono::milliseconds write_timeout{60'000};  // a client that takes nothing for so long is dropped
};

struct ServerStats {
  int64_t connections = 0;  // open now
  int64_t accepted = 0;
  int64_t requests = 0;
  int64_t dropped_slow_readers = 0;
  int64_t bad_requests = 0;  // refused before a handler saw them: malformed, too large, too late
};

/// An HTTP/1.1 server (RFC 9112): keep-alive, pipelining in order, chunked bodies both ways, Expect: 100-continue,
/// HEAD. Malformed input is answered 400 (408, 413, 414, 417, 429, 431, 501, 505), closed. Any thread may call any
/// method.
class Server {
 public:
  /// Listens from here on. Throws Error: the address cannot be had (its name and why), the certificate cannot be read.
  static std::unique_ptr<Server> listen(const ServerConfig& config, Handler handler, Gate gate = {});
  /// Stops at once: what runs is dropped.
  virtual ~Server() = default;
  /// The port that it listens on.
  virtual uint16_t port() const = 0;
  /// From here on each connection ends with its next answer; who may still come in, the gate says. Returns when the
  /// last answer is complete (true). After `limit` those that are left are cut (Work::cut), and have a moment for their
  /// last words (false).
  virtual bool drain(std::chrono::milliseconds limit) = 0;
  /// Since drain() was called.
  virtual bool draining() const = 0;
  virtual ServerStats stats() const = 0;
};

}  // namespace caravel::http
