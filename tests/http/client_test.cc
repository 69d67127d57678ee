#include "http/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "http/fetch.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::http::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Url local(uint16_t port, std::string path = "") { return {.host = "127.0.0.1", .port = port, .path = std::move(path)}; }

TEST(Url, HasItsParts) {
  const Url plain = parse_url("http://example.org");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, 80);
  EXPECT_EQ(plain.path, "");
  const Url full = parse_url("HTTPS://[::1]:8443/v1/");
  EXPECT_TRUE(full.tls);
  EXPECT_EQ(full.host, "::1");
  EXPECT_EQ(full.port, 8443);
  EXPECT_EQ(full.path, "/v1");
  EXPECT_EQ(parse_url("https://a").port, 443);
  for (const char* bad : {"", "localhost:8000", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:70000",
                          "http://a:b", "http://a:", "http://[::1", "http://[::1]80", "http://a b", "http://a/?q"}) {
    EXPECT_THROW(parse_url(bad), InvalidArgument) << bad;
  }
}

TEST(HttpClient, KeepsItsConnections) {
  const auto server = Server::listen(any_port(), echo);
  const auto client = Client::open(local(server->port(), "/prefix"), seconds(20));
  for (int i = 0; i < 5; ++i) {
    const Fetched fetched = fetch(*client, request_of("POST", "/a b", "body")).get();
    EXPECT_EQ(fetched.error, "");
    EXPECT_EQ(fetched.response.status, 200);
    EXPECT_EQ(fetched.response.headers.find("content-type"), "text/plain");
    EXPECT_EQ(fetched.response.body, "POST /prefix/a b? body");
  }
  EXPECT_EQ(server->stats().accepted, 1);
  EXPECT_EQ(fetch(*client, request_of("HEAD", "/")).get().response.headers.find("Content-Length"), "15");
  EXPECT_EQ(fetch(*client, request_of("GET", "/")).get().response.body, "GET /prefix/? ");
}

TEST(HttpClient, GivesPiecesAsTheyCome) {
  const auto pipe = std::make_shared<Pipe>();
  const auto server =
      Server::listen(any_port(), [&](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); });
  const auto client = Client::open(local(server->port()), seconds(20));
  std::atomic<int> pieces = 0;
  std::promise<std::string> ended;
  Callbacks callbacks;
  callbacks.on_body = [&](std::string_view piece) {
    EXPECT_EQ(piece, "piece");
    ++pieces;
  };
  callbacks.on_end = [&](std::string error) { ended.set_value(std::move(error)); };
  client->submit(request_of("GET", "/"), callbacks);
  for (int i = 0; i < 3; ++i) {
    pipe->put("piece");
    EXPECT_TRUE(eventually([&] { return pieces == i + 1; }));
  }
  pipe->end();
  EXPECT_EQ(ended.get_future().get(), "");
}

TEST(HttpClient, AsksManyThingsAtOnce) {
  ServerConfig config = any_port();
  config.threads = 2;
  const auto server = Server::listen(config, echo);
  const auto client = Client::open(local(server->port()), seconds(20));
  std::vector<std::future<Fetched>> running;
  for (int i = 0; i < 200; ++i) running.push_back(fetch(*client, request_of("GET", "/" + std::to_string(i))));
  for (size_t i = 0; i < running.size(); ++i) {
    EXPECT_EQ(running[i].get().response.body, "GET /" + std::to_string(i) + "? ");
  }
}

TEST(HttpClient, AsksAgainWhereAKeptConnectionWasClosed) {
  ServerConfig config = any_port();
  config.idle_timeout = milliseconds(1);
  const auto server = Server::listen(config, echo);
  const auto client = Client::open(local(server->port()), seconds(20));
  EXPECT_EQ(fetch(*client, request_of("GET", "/1")).get().error, "");
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  EXPECT_EQ(fetch(*client, request_of("GET", "/2")).get().error, "");
  EXPECT_EQ(server->stats().accepted, 2);
}

TEST(HttpClient, SaysWhatWentWrong) {
  uint16_t closed_port = 0;
  {
    const auto server = Server::listen(any_port(), [](const Request& request, const Wake& wake) {
      const auto pipe = std::make_shared<Pipe>();
      pipe->put("half");
      std::unique_ptr<Work> work = Pipe::work(pipe, wake);
      if (request.path == "/forever") return work;
      throw std::runtime_error("500");
    });
    closed_port = server->port();
    const auto client = Client::open(local(server->port()), milliseconds(150));
    EXPECT_EQ(fetch(*client, request_of("GET", "/fails")).get().response.status, 500);
    const Fetched late = fetch(*client, request_of("GET", "/forever")).get();
    EXPECT_EQ(late.response.body, "half");
    EXPECT_EQ(late.error, "no complete answer within 150 ms");
  }
  const auto client = Client::open(local(closed_port), seconds(20));
  EXPECT_THAT(fetch(*client, request_of("GET", "/")).get().error, testing::HasSubstr("refused"));
  EXPECT_THROW(Client::open({.host = "no-such-host.invalid"}, seconds(1)), Error);
}

/// A server of one connection that answers anything with `answer` and closes.
uint16_t answer_once(const std::string& answer, std::thread& thread) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  thread = std::thread([listener, answer] {
    const int connection = ::accept(listener, nullptr, nullptr);
    char request[4096];
    EXPECT_GT(::recv(connection, request, sizeof request, 0), 0);
    EXPECT_EQ(::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    ::close(connection);
    ::close(listener);
  });
  return ntohs(address.sin_port);
}

TEST(HttpClient, ReadsWhatOtherServersSay) {
  const auto ask = [](const std::string& answer) {
    std::thread thread;
    const uint16_t port = answer_once(answer, thread);
    const auto client = Client::open(local(port), seconds(20));
    Fetched fetched = fetch(*client, request_of("GET", "/")).get();
    thread.join();
    return fetched;
  };
  EXPECT_EQ(ask("HTTP/1.0 200 OK\r\n\r\nto the end").response.body, "to the end");
  EXPECT_EQ(ask("HTTP/1.0 200 OK\r\n\r\nto the end").error, "");
  const Fetched continued = ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(continued.response.status, 429);
  EXPECT_EQ(continued.response.body, "no");
  EXPECT_THAT(ask("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").error, testing::HasSubstr("connection ended"));
  EXPECT_THAT(ask("SSH-2.0\r\n\r\n").error, testing::HasSubstr("not HTTP"));
}

TEST(HttpClient, GivesUpOnWhoNeverGreets) {
  // It is connected to by the system, and never says a word of TLS.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const Url url{.tls = true, .host = "127.0.0.1", .port = ntohs(address.sin_port)};
  const auto client = Client::open(url, seconds(20), milliseconds(50));
  EXPECT_THAT(fetch(*client, request_of("GET", "/")).get().error, testing::EndsWith(": no connection within 50 ms"));
  ::close(listener);
}

TEST(HttpClient, DropsWhatRunsWhenItGoes) {
  const auto pipe = std::make_shared<Pipe>();
  const auto server =
      Server::listen(any_port(), [&](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); });
  auto client = Client::open(local(server->port()), seconds(20));
  bool called = false;
  Callbacks callbacks;
  callbacks.on_end = [&](const std::string&) { called = true; };
  client->submit(request_of("GET", "/"), callbacks);
  EXPECT_TRUE(eventually([&] { return pipe->advances() > 0; }));
  client.reset();
  EXPECT_FALSE(called);
  EXPECT_TRUE(eventually([&] { return pipe->work_is_gone(); }));
}

}  // namespace
}  // namespace caravel::http::test
