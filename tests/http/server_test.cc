#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "http/http.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::http::test {
namespace {

using std::chrono::milliseconds;

TEST(HttpServer, KeepsAConnectionForManyRequests) {
  const auto server = Server::listen(any_port(), echo);
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send(post_request("/a%20b?x=1", "body"));
    const RawResponse response = client.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "POST /a b?x=1 body");
    EXPECT_EQ(response.headers.at("connection"), "keep-alive");
    EXPECT_EQ(response.headers.at("content-type"), "text/plain");
    EXPECT_THAT(response.headers.at("date"), testing::EndsWith(" GMT"));
  }
  EXPECT_EQ(server->stats().accepted, 1);
  EXPECT_EQ(server->stats().requests, 3);
}

TEST(HttpServer, ClosesWhereTheClientAsksForIt) {
  const auto server = Server::listen(any_port(), echo);
  RawClient asked(server->port());
  asked.send(get_request("/", "Connection: close\r\n"));
  EXPECT_EQ(asked.receive().headers.at("connection"), "close");
  EXPECT_TRUE(asked.ends());
  RawClient old(server->port());
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive().body, "GET /? ");
  EXPECT_TRUE(old.ends());
  RawClient old_and_kept(server->port());
  old_and_kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old_and_kept.receive().status, 200);
  old_and_kept.send("GET /again HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old_and_kept.receive().body, "GET /again? ");
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const auto server = Server::listen(any_port(), echo);
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += post_request("/" + std::to_string(i), std::string(100, 'x'));  // over 64 KiB
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.receive().body, "POST /" + std::to_string(i) + "? " + std::string(100, 'x'));
  }
  sender.join();
}

TEST(HttpServer, TakesARequestByteByByte) {
  const auto server = Server::listen(any_port(), echo);
  RawClient client(server->port());
  for (const char byte : post_request("/slow", "abc")) {
    client.send({&byte, 1});
    std::this_thread::yield();
  }
  EXPECT_EQ(client.receive().body, "POST /slow? abc");
}

TEST(HttpServer, LeavesTheBodyOutForHead) {
  const auto server = Server::listen(any_port(), [](const Request& request, const Wake& wake) {
    if (request.path == "/whole") return ready(text_response("12345"));
    const auto pipe = std::make_shared<Pipe>();
    pipe->put("piece");
    pipe->end();
    return Pipe::work(pipe, wake);
  });
  RawClient client(server->port());
  client.send("HEAD /whole HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive(true).headers.at("content-length"), "5");
  client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive(true).headers.at("transfer-encoding"), "chunked");
  client.send(get_request("/whole"));
  EXPECT_EQ(client.receive().body, "12345");
}

TEST(HttpServer, GivesNoBodyToAStatusThatHasNone) {
  const auto server =
      Server::listen(any_port(), [](const Request&, const Wake&) { return ready(text_response("", 204)); });
  RawClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    client.send(get_request("/"));
    const RawResponse response = client.receive();
    EXPECT_EQ(response.status, 204);
    EXPECT_FALSE(response.headers.contains("content-length"));
  }
}

TEST(HttpServer, SaysContinueToAClientThatWaitsForIt) {
  const auto server = Server::listen(any_port(), echo);
  RawClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  client.send("body");
  EXPECT_EQ(client.receive().body, "POST /? body");
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
  EXPECT_EQ(client.receive().status, 200) << "the body was there already";
}

TEST(HttpServer, RefusesWithAJsonErrorAndCloses) {
  ServerConfig config = any_port();
  config.max_body_bytes = 100;
  config.max_header_bytes = 500;
  const auto server = Server::listen(config, echo);
  const auto answer = [&](const std::string& bytes) {
    RawClient client(server->port());
    client.send(bytes);
    RawResponse response = client.receive();
    EXPECT_TRUE(client.ends());
    EXPECT_NE(response.headers["x-request-id"], "") << bytes.substr(0, 100);
    return response;
  };
  const RawResponse large = answer(post_request("/", std::string(200 << 10, 'x')));
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(
      large.body,
      R"({"error":{"message":"the request's body is larger than 100 bytes: send less, or start the server with a )"
      R"(larger --max-body-size, and memory for it",)"
      R"("type":"invalid_request_error","param":null,"code":"body_too_large"}})");
  EXPECT_EQ(large.headers.at("content-type"), "application/json");
  EXPECT_EQ(large.headers.at("connection"), "close");
  EXPECT_EQ(answer(get_request("/", "A: " + std::string(1000, 'a') + "\r\n")).status, 431);
  EXPECT_EQ(answer(get_request("/" + std::string(1000, 'a'))).status, 414);
  EXPECT_EQ(answer("rubbish\r\n\r\n").status, 400);
  EXPECT_EQ(answer(get_request("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n").status, 400);
  EXPECT_EQ(server->stats().bad_requests, 5);
  EXPECT_EQ(answer(get_request("/", "X-Request-Id: mine\r\nContent-Length: 101\r\n")).headers["x-request-id"], "mine");
  EXPECT_EQ(server->stats().requests, 0);
}

TEST(HttpServer, TellsAClientThatSendsNoMoreWhyItIsRefused) {
  const auto server = Server::listen(any_port(), echo, [](const Request& head) -> std::optional<Response> {
    if (head.path == "/closed") return text_response("no", 401);
    return std::nullopt;
  });
  for (const auto& [bytes, status] :
       {std::pair("rubbish\r\n\r\n", 400), std::pair("GET / HTTP/2.0\r\n\r\n", 505),
        std::pair("POST /closed HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 401)}) {
    RawClient client(server->port());
    client.send(bytes);
    client.finish();
    EXPECT_EQ(client.receive().status, status) << bytes;
    EXPECT_TRUE(client.ends());
  }
}

TEST(HttpServer, ARequestThatEndsTooEarlyIsToldSo) {
  const auto server = Server::listen(any_port(), echo);
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n"), get_request("/", "Content-Length: 5\r\n") + "abc"}) {
    RawClient client(server->port());
    client.send(bytes);
    client.finish();
    const RawResponse response = client.receive();
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, testing::HasSubstr("the connection ended before the request did"));
    EXPECT_TRUE(client.ends());
  }
}

TEST(HttpServer, AsksTheGateBeforeTheBody) {
  std::atomic<int> handled = 0;
  const auto handler = [&](const Request& request, const Wake& wake) {
    ++handled;
    return echo(request, wake);
  };
  const auto server = Server::listen(any_port(), handler, [](const Request& head) -> std::optional<Response> {
    EXPECT_EQ(head.body, "");
    EXPECT_THAT(head.peer, testing::StartsWith("127.0.0.1:"));
    if (head.path == "/broken") throw std::runtime_error("the inside");
    if (head.headers.find("Authorization") == "Bearer key") return std::nullopt;
    return text_response("no", 401);
  });
  RawClient stranger(server->port());
  stranger.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(stranger.receive().status, 401);
  EXPECT_TRUE(stranger.ends());
  RawClient broken(server->port());
  broken.send(get_request("/broken"));
  const RawResponse response = broken.receive();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("inside")));
  EXPECT_EQ(handled, 0);
  RawClient friendly(server->port());
  friendly.send(get_request("/", "authorization: Bearer key\r\n"));
  EXPECT_EQ(friendly.receive().status, 200);
}

TEST(HttpServer, SaysNothingOfTheInsideWhenAHandlerFails) {
  class FailingWork final : public Work {
    void advance(Writer& writer) override {
      writer.start({});
      writer.write("half");
      throw std::runtime_error("a secret");
    }
  };
  const auto server = Server::listen(any_port(), [](const Request& request, const Wake&) -> std::unique_ptr<Work> {
    if (request.path == "/throw") throw std::runtime_error("a secret");
    if (request.path == "/null") return nullptr;
    return std::make_unique<FailingWork>();
  });
  RawClient client(server->port());
  for (const char* path : {"/throw", "/null", "/advance"}) {
    client.send(get_request(path));
    const RawResponse response = client.receive();
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_EQ(response.body, R"({"error":{"message":"The server failed on this request.",)"
                             R"("type":"server_error","param":null,"code":"internal_error"}})");
  }
}

TEST(HttpServer, NamesRequests) {
  const auto server =
      Server::listen(any_port(), [](const Request& request, const Wake&) { return ready(text_response(request.id)); });
  RawClient client(server->port());
  client.send(get_request("/"));
  const std::string first = client.receive().body;
  client.send(get_request("/"));
  const std::string second = client.receive().body;
  EXPECT_NE(first, second);
  EXPECT_FALSE(first.empty());
  client.send(get_request("/", "X-Request-Id: mine-1\r\n"));
  EXPECT_EQ(client.receive().body, "mine-1");
  client.send(get_request("/", "X-Request-Id: not one word\r\n"));
  EXPECT_NE(client.receive().body, "not one word");
}

TEST(HttpServer, KeepsLineBreaksOutOfHeaders) {
  const auto server = Server::listen(any_port(), [](const Request& request, const Wake&) {
    Response response = text_response("");
    response.headers.add("X-Echo", request.path);
    return ready(std::move(response));
  });
  const RawResponse response = get(server->port(), "/a%0d%0aSet-Cookie:%20b");
  EXPECT_EQ(response.headers.at("x-echo"), "/a  Set-Cookie: b");
  EXPECT_FALSE(response.headers.contains("set-cookie"));
}

TEST(HttpServer, RunsHandlersBesideEachOther) {
  std::atomic<int> inside = 0;
  ServerConfig config = any_port();
  config.handler_threads = 2;
  const auto server = Server::listen(config, [&](const Request&, const Wake&) {
    ++inside;
    return ready(text_response(eventually([&] { return inside == 2; }) ? "both" : "one"));
  });
  RawClient first(server->port());
  RawClient second(server->port());
  first.send(get_request("/"));
  second.send(get_request("/"));
  EXPECT_EQ(first.receive().body, "both");
  EXPECT_EQ(second.receive().body, "both");
}

TEST(HttpServer, AnswersProbesWhateverOthersSend) {
  ServerConfig config = any_port();
  config.handler_threads = 1;
  std::atomic<bool> done = false;
  const auto server = Server::listen(config, [&](const Request& request, const Wake&) {
    if (request.method == "POST") eventually([&] { return done.load(); });
    return ready(text_response(request.path));
  });
  std::vector<std::unique_ptr<RawClient>> busy;
  for (int i = 0; i < 20; ++i) {
    busy.push_back(std::make_unique<RawClient>(server->port()));
    busy.back()->send(post_request("/work", "x"));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(server->port(), "/health").body, "/health");
  done = true;
  for (const auto& client : busy) EXPECT_EQ(client->receive().body, "/work");
}

TEST(HttpServer, RefusesWhatWouldWaitBehindTooManyOthers) {
  ServerConfig config = any_port();
  config.handler_threads = 1;  // four at once
  config.max_queued_handlers = 2;
  std::atomic<bool> done = false;
  std::atomic<int> begun = 0;
  const auto server = Server::listen(config, [&](const Request&, const Wake&) {
    ++begun;
    eventually([&] { return done.load(); });
    return ready(text_response("done"));
  });
  std::vector<std::unique_ptr<RawClient>> busy;
  const auto send = [&] {
    busy.push_back(std::make_unique<RawClient>(server->port()));
    busy.back()->send(post_request("/work", "x"));
  };
  for (int i = 0; i < 4; ++i) send();
  EXPECT_TRUE(eventually([&] { return begun == 4; }));
  for (int i = 0; i < 3; ++i) send();
  int refused = 0;
  const auto waits_for_answer = [&](RawClient& client) {
    const RawResponse response = client.receive();
    if (response.status == 429) {
      ++refused;
      EXPECT_EQ(response.headers.at("retry-after"), "1");
      EXPECT_THAT(response.body, testing::HasSubstr("2 requests wait"));
    } else {
      EXPECT_EQ(response.body, "done");
    }
  };
  EXPECT_TRUE(eventually([&] { return server->stats().requests == 7; }));
  done = true;
  for (const auto& client : busy) waits_for_answer(*client);
  EXPECT_EQ(refused, 1);
}

TEST(HttpServer, AClientThatGoesAwayEndsItsHandler) {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  const auto server = Server::listen(any_port(), [&](const Request&, const Wake&) -> std::unique_ptr<Work> {
    ++begun;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    try {
      while (std::chrono::steady_clock::now() < end) check_interrupt();
    } catch (const Interrupted&) {
      ++ended;
      throw;
    }
    return ready(text_response("late"));
  });
  {
    // More than run at once.
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 24; ++i) {
      clients.push_back(std::make_unique<RawClient>(server->port()));
      clients.back()->send(post_request("/work", "x"));
    }
    EXPECT_TRUE(eventually([&] { return begun == 16; }));
  }
  EXPECT_TRUE(eventually([&] { return ended == begun; }));
  const int before = begun;
  RawClient last(server->port());
  last.send(post_request("/work", "x"));
  EXPECT_TRUE(eventually([&] { return begun == before + 1; })) << "threads that took long have made room for others";
}

TEST(HttpServer, SaysWhyItCannotListen) {
  const auto server = Server::listen(any_port(), echo);
  ServerConfig config = any_port();
  config.port = server->port();
  try {
    Server::listen(config, echo);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("127.0.0.1:" + std::to_string(config.port)));
    EXPECT_THAT(error.what(), testing::HasSubstr("in use"));
  }
  config.host = "no-such-host.invalid";
  EXPECT_THROW(Server::listen(config, echo), Error);
}

TEST(HttpServer, MoreConnectionsThanMayBeWaitTheirTurn) {
  ServerConfig config = any_port();
  config.max_connections = 2;
  const auto server = Server::listen(config, echo);
  auto first = std::make_unique<RawClient>(server->port());
  RawClient second(server->port());
  RawClient third(server->port());
  third.send(get_request("/third"));
  EXPECT_EQ(third.receive_some(milliseconds(100)), "");
  EXPECT_EQ(server->stats().connections, 2);
  first.reset();
  EXPECT_EQ(third.receive().body, "GET /third? ");
}

}  // namespace
}  // namespace caravel::http::test
