#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/http.h"
#include "http/shared.h"

namespace caravel::http {
namespace {

/// The kernel's buffer for each connection. Left to itself it grows to megabytes for a client that does not read; this
/// is enough for a fast one, and beyond it what is pending waits with the Work, where it is joined.
constexpr int kSendBuffer = 256 << 10;
constexpr std::chrono::seconds kLastWords{3};           // for answers that are cut at the end of a drain
constexpr std::chrono::milliseconds kAcceptPause{100};  // after an error such as "too many open files"

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerConfig& config, Handler handler, Gate gate)
      : shared_(config, std::move(handler), std::move(gate)) {
    if (!config.certificate_file.empty() || !config.private_key_file.empty())
      tls_.emplace(server_tls(config.certificate_file, config.private_key_file));
    for (int i = 0; i < std::max(1, config.threads); ++i) loops_.push_back(std::make_unique<Loop>());
    asio::io_context& first = loops_.front()->context;
    acceptor_.emplace(first);
    listen_on(config);
    room_.emplace(first.get_executor());
    shared_.on_room = [this] { asio::post(loops_.front()->context, [this] { room_->set(); }); };
    asio::co_spawn(first, accept_loop(), asio::detached);
    for (const auto& loop : loops_) {
      work_.emplace_back(asio::make_work_guard(loop->context));
      threads_.emplace_back([&context = loop->context] { context.run(); });
    }
  }

  ~ServerImpl() override {
    for (const auto& loop : loops_) {
      loop->wakes->close();
      loop->context.stop();
    }
    for (std::thread& thread : threads_) thread.join();
    for (const auto& loop : loops_) {
      for (Connection* connection : loop->connections) connection->give_up();
    }
    shared_.handlers.stop();
    shared_.probes.stop();
    shared_.writers.stop();
    shared_.on_room = nullptr;
    // One thread from here on. The coroutines that own the connections go with the loops.
    for (const auto& loop : loops_) {
      for (Connection* connection : loop->connections) connection->close();
    }
  }

  uint16_t port() const override { return port_; }

  bool drain(std::chrono::milliseconds limit) override {
    shared_.draining = true;
    if (shared_.transactions.wait_for_none(limit)) return true;
    for (const auto& loop : loops_) {
      asio::post(loop->context, [&connections = loop->connections] {
        for (Connection* connection : connections) connection->cut();
      });
    }
    shared_.transactions.wait_for_none(kLastWords);
    return false;
  }

  bool draining() const override { return shared_.draining; }

  ServerStats stats() const override {
    return {.connections = shared_.connections,
            .accepted = shared_.accepted,
            .requests = shared_.requests,
            .dropped_slow_readers = shared_.dropped_slow_readers,
            .bad_requests = shared_.bad_requests};
  }

 private:
  void listen_on(const ServerConfig& config) {
    error_code error;
    tcp::resolver resolver(loops_.front()->context);
    const auto found = resolver.resolve(config.host, std::to_string(config.port), tcp::resolver::passive, error);
    if (error) throw fail<Error>("{}: no such address ({})", config.host, error.message());
    std::vector<tcp::endpoint> endpoints;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    // "localhost" is both, and clients try both: the older one is there on every machine.
    std::ranges::stable_sort(endpoints, {}, [](const tcp::endpoint& endpoint) { return endpoint.address().is_v6(); });
    for (const tcp::endpoint& endpoint : endpoints) {
      error = listen_on(endpoint);
      if (!error) break;
    }
    if (error)
      throw fail<Error>("{}:{}: cannot listen there ({}); --host and --port choose another address", config.host,
                        config.port, error.message());
    port_ = acceptor_->local_endpoint().port();
  }

  error_code listen_on(const tcp::endpoint& endpoint) {
    error_code error;
    error_code ignored;
    acceptor_->close(ignored);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error)
      acceptor_->set_option(asio::socket_base::send_buffer_size(kSendBuffer), error);  // accepted ones inherit
    if (!error && endpoint.address().is_v6()) acceptor_->set_option(asio::ip::v6_only(false), ignored);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  awaitable<void> accept_loop() {
    asio::steady_timer pause(loops_.front()->context);
    for (int64_t number = 0; acceptor_->is_open();) {
      while (shared_.connections >= shared_.config.max_connections) co_await room_->wait();
      Loop& loop = *loops_[static_cast<size_t>(number) % loops_.size()];
      tcp::socket socket(loop.context);
      error_code error;
      co_await acceptor_->async_accept(socket, into(error));
      if (!error) {
        adopt(loop, std::move(socket), number++);
      } else if (acceptor_->is_open() && error != asio::error::connection_aborted) {
        log::warn("no connection could be accepted: {}", error.message());
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(into(error));
      }
    }
  }

  void adopt(Loop& loop, tcp::socket socket, int64_t number) {
    ++shared_.accepted;
    ++shared_.connections;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::unique_ptr<Transport> transport =
        tls_ ? tls_transport(std::move(socket), *tls_, "") : plain_transport(std::move(socket));
    asio::post(loop.context, [this, &loop, number, moved = std::move(transport)]() mutable {
      std::make_shared<Connection>(shared_, loop, std::move(moved), number)->start();
    });
  }

  Shared shared_;
  std::optional<asio::ssl::context> tls_;
  std::vector<std::unique_ptr<Loop>> loops_;  // never empty
  std::optional<tcp::acceptor> acceptor_;     // on the first loop
  std::optional<Event> room_;                 // for another connection
  uint16_t port_ = 0;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Server> Server::listen(const ServerConfig& config, Handler handler, Gate gate) {
  return std::make_unique<ServerImpl>(config, std::move(handler), std::move(gate));
}

}  // namespace caravel::http
