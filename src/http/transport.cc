#include "http/transport.h"

#include <openssl/ssl.h>

#include "base/error.h"
#include "base/file.h"

namespace caravel::http {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  tcp::socket& socket() override { return socket_; }
  awaitable<size_t> read_some(asio::mutable_buffer buffer, error_code& error) override {
    return socket_.async_read_some(buffer, into(error));
  }
  awaitable<size_t> write_some(asio::const_buffer buffer, error_code& error) override {
    return socket_.async_write_some(buffer, into(error));
  }
  awaitable<void> handshake(error_code&) override { co_return; }
  awaitable<void> shut_down(error_code& error) override {
    socket_.shutdown(tcp::socket::shutdown_send, error);
    co_return;
  }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, asio::ssl::context& context, const std::string& host)
      : stream_(std::move(socket), context), side_(host.empty() ? Stream::server : Stream::client) {
    if (host.empty()) return;
    SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
    stream_.set_verify_callback(asio::ssl::host_name_verification(host));
  }

  tcp::socket& socket() override { return stream_.next_layer(); }
  awaitable<size_t> read_some(asio::mutable_buffer buffer, error_code& error) override {
    return stream_.async_read_some(buffer, into(error));
  }
  awaitable<size_t> write_some(asio::const_buffer buffer, error_code& error) override {
    return stream_.async_write_some(buffer, into(error));
  }
  awaitable<void> handshake(error_code& error) override { return stream_.async_handshake(side_, into(error)); }
  awaitable<void> shut_down(error_code& error) override { return stream_.async_shutdown(into(error)); }

 private:
  using Stream = asio::ssl::stream<tcp::socket>;
  Stream stream_;
  Stream::handshake_type side_;
};

asio::ssl::context tls_context(asio::ssl::context::method method) {
  asio::ssl::context context(method);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  // Idle connections give their 32 KiB of record buffers back.
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

awaitable<void> Transport::wait_for_reset() {
  error_code error;
  co_await socket().async_wait(tcp::socket::wait_error, into(error));
}

std::unique_ptr<Transport> plain_transport(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> tls_transport(tcp::socket socket, asio::ssl::context& context, const std::string& host) {
  return std::make_unique<TlsTransport>(std::move(socket), context, host);
}

asio::ssl::context server_tls(const std::string& certificate_file, const std::string& private_key_file) {
  asio::ssl::context context = tls_context(asio::ssl::context::tls_server);
  // What is wrong with them as files is said so.
  for (const std::string& file : {certificate_file, private_key_file}) read_file(file);
  error_code error;
  context.use_certificate_chain_file(certificate_file, error);
  if (error)
    throw fail<Error>("{}: not a certificate in PEM form that can be read ({})", certificate_file, error.message());
  context.use_private_key_file(private_key_file, asio::ssl::context::pem, error);
  if (error)
    throw fail<Error>("{}: not a private key in PEM form of the certificate {} ({})", private_key_file,
                      certificate_file, error.message());
  return context;
}

asio::ssl::context client_tls() {
  asio::ssl::context context = tls_context(asio::ssl::context::tls_client);
  error_code error;  // without such files no certificate is trusted, which the handshake says
  context.set_default_verify_paths(error);
  context.set_verify_mode(asio::ssl::verify_peer);
  return context;
}

}  // namespace caravel::http
