#include "http/raw_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"

namespace caravel::http::test {

RawClient::RawClient(uint16_t port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  CARAVEL_CHECK(socket_ >= 0);
  if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CARAVEL_CHECK_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void RawClient::finish() { ::shutdown(socket_, SHUT_WR); }

void RawClient::reset() {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string RawClient::receive_some(std::chrono::milliseconds limit) {
  pollfd readable = {.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return {};
  std::string bytes(1 << 16, '\0');
  const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return bytes;
}

bool RawClient::ends(std::chrono::milliseconds limit) {
  pollfd readable = {.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, MSG_PEEK) <= 0;
}

bool RawClient::fill() {
  const std::string bytes = receive_some();
  in_ += bytes;
  return !bytes.empty();
}

RawResponse RawClient::receive(bool to_head) {
  RawResponse response;
  size_t head_end = 0;
  while ((head_end = in_.find("\r\n\r\n")) == in_.npos) {
    if (!fill()) return response;
  }
  std::string head = in_.substr(0, head_end + 2);
  in_.erase(0, head_end + 4);
  response.status = std::stoi(head.substr(9, 3));
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (to_head || response.status / 100 == 1 || response.status == 204 || response.status == 304) {
    response.complete = true;
    return response;
  }
  if (response.headers.contains("content-length")) {
    const size_t length = std::stoul(response.headers["content-length"]);
    while (in_.size() < length && fill()) {
    }
    response.complete = in_.size() >= length;
    response.body = in_.substr(0, length);
    in_.erase(0, length);
  } else if (response.headers.contains("transfer-encoding")) {
    for (;;) {
      size_t line = 0;
      while ((line = in_.find("\r\n")) == in_.npos) {
        if (!fill()) return response;
      }
      const size_t length = std::stoul(in_.substr(0, line), nullptr, 16);
      while (in_.size() < line + 2 + length + 2) {
        if (!fill()) return response;
      }
      response.body += in_.substr(line + 2, length);
      CARAVEL_CHECK_EQ(in_.substr(line + 2 + length, 2), "\r\n");
      in_.erase(0, line + 2 + length + 2);
      if (length == 0) break;
      ++response.chunks;
    }
    response.complete = true;
  } else {
    while (fill()) {
    }
    response.body = std::move(in_);
    in_.clear();
    response.complete = true;
  }
  return response;
}

RawResponse get(uint16_t port, const std::string& path) {
  RawClient client(port);
  client.send(get_request(path));
  return client.receive();
}

std::string get_request(const std::string& path, const std::string& headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, headers);
}

std::string post_request(const std::string& path, const std::string& body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{}", path, body.size(), body);
}

}  // namespace caravel::http::test
