#include "http/client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <iterator>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/text.h"
#include "http/transport.h"

namespace caravel::http {
namespace {

namespace beast = boost::beast;

constexpr size_t kReadSize = 16 << 10;
constexpr uint32_t kMaxHeaderBytes = 1 << 20;

/// Calls back as it parses.
struct ResponseParser final : beast::http::basic_parser<false> {
  ResponseParser(const Callbacks& to_call, bool to_head) : callbacks(to_call) {
    header_limit(kMaxHeaderBytes);
    body_limit(std::numeric_limits<uint64_t>::max());
    eager(true);
    skip(to_head);
  }

  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int code, beast::string_view, int, error_code&) override { head.status = code; }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, error_code&) override {
    if (!is_header_done()) head.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(error_code&) override {
    if (head.status >= 200 && callbacks.on_head) callbacks.on_head(head);
  }
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(beast::string_view body, error_code&) override {
    if (callbacks.on_body) callbacks.on_body({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, beast::string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code&) override {}

  const Callbacks& callbacks;
  Response head;
};

void append_percent_encoded(std::string& out, std::string_view path) {
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || std::string_view("%?#\"<>\\^`{|}").find(c) != std::string_view::npos) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    } else {
      out += c;
    }
  }
}

std::string request_text(const Url& url, const Request& request) {
  std::string text = request.method + " " + url.path;
  append_percent_encoded(text, request.path);
  if (!request.query.empty()) text += "?" + request.query;
  const bool is_v6 = url.host.find(':') != url.host.npos;
  fmt::format_to(std::back_inserter(text), " HTTP/1.1\r\nHost: {}{}{}:{}\r\n", is_v6 ? "[" : "", url.host,
                 is_v6 ? "]" : "", url.port);
  for (const auto& [name, value] : request.headers.fields()) text += name + ": " + value + "\r\n";
  if (!request.body.empty() || request.method == "POST")
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", request.body.size());
  text += "\r\n";
  text += request.body;
  return text;
}

class ClientImpl final : public Client {
 public:
  ClientImpl(Url url, std::chrono::milliseconds timeout, std::chrono::milliseconds connect_timeout)
      : url_(std::move(url)),
        timeout_(timeout),
        connect_timeout_(connect_timeout),
        work_(asio::make_work_guard(context_)) {
    if (url_.tls) tls_.emplace(client_tls());
    error_code error;
    endpoints_ = tcp::resolver(context_).resolve(url_.host, std::to_string(url_.port), error);
    if (error) throw fail<Error>("{}: no such host ({})", url_.host, error.message());
    thread_ = std::thread([this] { context_.run(); });
  }

  ~ClientImpl() override {
    context_.stop();
    thread_.join();
  }

  void submit(Request request, Callbacks callbacks) override {
    asio::post(context_, [this, sent = std::move(request), called = std::move(callbacks)]() mutable {
      asio::co_spawn(context_, exchange(std::move(sent), std::move(called)), asio::detached);
    });
  }

 private:
  /// One request, and the connection that it is on.
  struct Attempt {
    std::unique_ptr<Transport> transport;
    bool reused = false;
    bool answered = false;  // a byte has come
    bool kept = false;      // the connection can serve another request
    bool late = false;
    bool connecting = false;
    std::string error;
  };

  static void close(Attempt& attempt) {
    error_code ignored;
    if (attempt.transport) attempt.transport->socket().close(ignored);
  }

  awaitable<void> exchange(Request request, Callbacks callbacks) {
    const std::string text = request_text(url_, request);
    const auto attempt = std::make_shared<Attempt>();
    asio::steady_timer deadline(context_, timeout_);
    deadline.async_wait([weak = std::weak_ptr(attempt)](const error_code& cancelled) {
      const auto running = weak.lock();
      if (cancelled || !running) return;
      running->late = true;
      close(*running);
    });
    try {
      do {
        attempt->error.clear();
        co_await connect(attempt);
        if (attempt->error.empty()) co_await ask(*attempt, text, callbacks, request.method == "HEAD");
        // A kept connection may have been closed by the server just now.
      } while (!attempt->error.empty() && attempt->reused && !attempt->answered && !attempt->late);
    } catch (const std::exception& error) {
      attempt->error = error.what();
    }
    if (attempt->late) attempt->error = fmt::format("no complete answer within {} ms", timeout_.count());
    if (attempt->error.empty() && attempt->kept) idle_.push_back(std::move(attempt->transport));
    attempt->transport.reset();
    if (callbacks.on_end) callbacks.on_end(std::move(attempt->error));
  }

  awaitable<void> connect(std::shared_ptr<Attempt> attempt) {
    attempt->reused = !idle_.empty();
    if (attempt->reused) {
      attempt->transport = std::move(idle_.back());
      idle_.pop_back();
      co_return;
    }
    tcp::socket socket(context_);
    attempt->transport = tls_ ? tls_transport(std::move(socket), *tls_, url_.host) : plain_transport(std::move(socket));
    attempt->connecting = true;
    bool is_slow = false;
    asio::steady_timer limit(context_, connect_timeout_);
    limit.async_wait([&is_slow, weak = std::weak_ptr(attempt)](const error_code& cancelled) {
      const auto running = weak.lock();
      if (cancelled || !running || !running->connecting) return;
      is_slow = true;
      close(*running);
    });
    error_code error;
    co_await asio::async_connect(attempt->transport->socket(), endpoints_, into(error));
    if (!error) {
      error_code ignored;
      attempt->transport->socket().set_option(tcp::no_delay(true), ignored);
      co_await attempt->transport->handshake(error);
    }
    attempt->connecting = false;
    if (!error && !is_slow) co_return;
    attempt->error =
        is_slow ? fmt::format("{}:{}: no connection within {} ms", url_.host, url_.port, connect_timeout_.count())
                : fmt::format("{}:{}: {}", url_.host, url_.port, error.message());
  }

  awaitable<void> ask(Attempt& attempt, const std::string& text, const Callbacks& callbacks, bool to_head) {
    error_code error;
    for (size_t sent = 0; sent < text.size() && !error;) {
      const asio::const_buffer rest(text.data() + sent, text.size() - sent);
      const size_t count = co_await attempt.transport->write_some(rest, error);
      sent += count;
    }
    std::string in;
    auto parser = std::make_unique<ResponseParser>(callbacks, to_head);
    while (!error && !parser->is_done()) {
      const size_t size = in.size();
      in.resize(size + kReadSize);
      const size_t count = co_await attempt.transport->read_some(asio::buffer(in.data() + size, kReadSize), error);
      in.resize(size + count);
      attempt.answered = attempt.answered || count > 0;
      error_code wrong;
      if (error) {
        // It may be the end of a body that lasts as long as the connection.
        if (parser->got_some()) parser->put_eof(wrong);
        if (wrong || !parser->is_done()) attempt.error = fmt::format("the connection ended: {}", error.message());
        co_return;
      }
      while (!in.empty() && !wrong && !parser->is_done()) {
        // Beast asserts on less than a last chunk where it has seen one begin.
        if (parser->is_header_done() && parser->chunked() && in.size() < kLastChunk.size()) break;
        in.erase(0, parser->put(asio::const_buffer(in.data(), in.size()), wrong));
        if (!wrong && parser->is_done() && parser->head.status < 200)
          parser = std::make_unique<ResponseParser>(callbacks, to_head);  // 100 Continue: the answer follows
      }
      if (wrong && wrong != beast::http::error::need_more) {
        attempt.error = fmt::format("the server's answer is not HTTP: {}", wrong.message());
        co_return;
      }
    }
    if (error) attempt.error = fmt::format("the connection ended: {}", error.message());  // while the request was sent
    attempt.kept = !error && parser->keep_alive() && in.empty();
  }

  const Url url_;
  const std::chrono::milliseconds timeout_;
  const std::chrono::milliseconds connect_timeout_;
  std::optional<asio::ssl::context> tls_;
  asio::io_context context_{1};
  std::vector<std::unique_ptr<Transport>> idle_;  // connections, on the client's thread alone
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::resolver::results_type endpoints_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Client> Client::open(const Url& url, std::chrono::milliseconds timeout,
                                     std::chrono::milliseconds connect_timeout) {
  return std::make_unique<ClientImpl>(url, timeout, connect_timeout);
}

}  // namespace caravel::http
