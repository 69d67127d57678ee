#pragma once

// Inside this folder alone: what of Asio its coroutines need. No co_await stands in the condition of an if or a loop:
// g++ 12 stores what it gives over the coroutine's own resume pointer.

// clang-format off
#include <utility>  // which Boost 1.74's awaitable.hpp forgets
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>

namespace caravel::http {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

/// A completion token: the coroutine goes on with `error` set instead of an exception.
inline auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

/// A TCP connection, plain or under TLS. One read and one write may be in flight together; the buffers and `error` must
/// outlive them.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual tcp::socket& socket() = 0;
  virtual awaitable<size_t> read_some(asio::mutable_buffer buffer, error_code& error) = 0;
  virtual awaitable<size_t> write_some(asio::const_buffer buffer, error_code& error) = 0;
  /// Before anything else; nothing where the connection is plain.
  virtual awaitable<void> handshake(error_code& error) = 0;
  /// Until the peer resets the connection, or the socket is closed or its operations cancelled.
  awaitable<void> wait_for_reset();
  /// Says that no more will be written; with no read in flight.
  virtual awaitable<void> shut_down(error_code& error) = 0;
};

std::unique_ptr<Transport> plain_transport(tcp::socket socket);
/// `host`: the name that the peer's certificate must bear, and says SNI; empty: the server's side.
std::unique_ptr<Transport> tls_transport(tcp::socket socket, asio::ssl::context& context, const std::string& host);

/// TLS 1.2 or newer for a server. Throws Error: what file could not be read, and why.
asio::ssl::context server_tls(const std::string& certificate_file, const std::string& private_key_file);
/// TLS 1.2 or newer for a client that trusts what the system trusts (SSL_CERT_FILE names others).
asio::ssl::context client_tls();

/// Wakes the one coroutine that waits for it; a set() with nobody waiting is kept. On the loop's thread alone.
class Event {
 public:
  explicit Event(const asio::any_io_executor& executor) : timer_(executor, asio::steady_timer::time_point::max()) {}
  void set() {
    set_ = true;
    timer_.cancel();
  }
  awaitable<void> wait() {
    error_code cancelled;
    if (!set_) co_await timer_.async_wait(into(cancelled));
    set_ = false;
  }

 private:
  asio::steady_timer timer_;  // never runs out
  bool set_ = false;
};

}  // namespace caravel::http
