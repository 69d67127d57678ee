#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <vector>

#include "base/log.h"
#include "http/http.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::http::test {
namespace {

using std::chrono::milliseconds;

size_t open_files() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

double processor_seconds() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(HttpTimeouts, ClosesWhatIsIdle) {
  ServerConfig config = any_port();
  config.idle_timeout = milliseconds(100);
  const auto server = Server::listen(config, echo);
  RawClient client(server->port());
  client.send(get_request("/"));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(server->stats().bad_requests, 0);
}

TEST(HttpTimeouts, ClosesWhatNeverBegins) {
  ServerConfig config = any_port();
  config.header_timeout = milliseconds(100);
  const auto server = Server::listen(config, echo);
  RawClient client(server->port());
  EXPECT_TRUE(client.ends());
}

TEST(HttpTimeouts, AnswersAHeadThatDoesNotEnd) {
  ServerConfig config = any_port();
  config.header_timeout = milliseconds(200);
  const auto server = Server::listen(config, echo);
  RawClient client(server->port());
  std::string answer;
  client.send("GET / HTTP/1.1\r\n");
  while (client.send("A: b\r\n") && answer.empty()) answer = client.receive_some(milliseconds(20));  // never idle
  EXPECT_NE(answer.find("HTTP/1.1 408 "), answer.npos);
  EXPECT_EQ(server->stats().bad_requests, 1);
}

TEST(HttpTimeouts, AnswersABodyThatDoesNotEnd) {
  ServerConfig config = any_port();
  config.body_timeout = milliseconds(100);
  const auto server = Server::listen(config, echo);
  RawClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.receive().status, 408);
  EXPECT_TRUE(client.ends());
}

TEST(HttpLimits, BodiesTogetherTakeNoMoreThanTheyMay) {
  ServerConfig config = any_port();
  config.bodies = Budget(300'000);
  const auto server = Server::listen(config, echo);
  RawClient slow(server->port());
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n" + std::string(120'000, 'x'));
  ASSERT_TRUE(eventually([&] { return config.bodies.used() >= 120'000; }));
  RawClient other(server->port());
  other.send(post_request("/", std::string(250'000, 'y')));
  const RawResponse refused = other.receive();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_NE(refused.body.find("rate_limit_error"), std::string::npos);
  EXPECT_EQ(server->stats().bad_requests, 1);
  RawClient small(server->port());
  small.send(post_request("/", "few"));
  EXPECT_EQ(small.receive().status, 200);
  slow.send(std::string(30'000, 'x'));
  EXPECT_EQ(slow.receive().status, 200) << "one that has its room keeps it";
  EXPECT_TRUE(eventually([&] { return config.bodies.used() == 0; }));
}

TEST(HttpTimeouts, AnAnswerMayTakeItsTime) {
  ServerConfig config = any_port();
  config.header_timeout = config.body_timeout = config.idle_timeout = config.write_timeout = milliseconds(50);
  const auto pipe = std::make_shared<Pipe>();
  const auto server = Server::listen(config, [&](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); });
  RawClient client(server->port());
  client.send(get_request("/"));
  std::this_thread::sleep_for(milliseconds(200));
  pipe->put("late");
  pipe->end();
  EXPECT_EQ(client.receive().body, "late");
}

TEST(HttpDrain, LetsAnswersEndAndRefusesOthersMeanwhile) {
  const auto pipe = std::make_shared<Pipe>();
  std::atomic<bool> closed = false;
  const auto server = Server::listen(
      any_port(), [&](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); },
      [&](const Request&) -> std::optional<Response> {
        if (!closed) return std::nullopt;
        return Response{.status = 503, .headers = {}, .body = "going down"};
      });
  RawClient idle(server->port());
  RawClient half(server->port());
  half.send("GET / HT");
  RawClient busy(server->port());
  busy.send(get_request("/"));
  busy.receive_some();
  EXPECT_FALSE(server->draining());
  closed = true;
  EXPECT_FALSE(server->drain(milliseconds(1)));
  EXPECT_TRUE(server->draining());
  // Whoever comes while the last answer is written is told, on connections old and new.
  idle.send(get_request("/"));
  half.send("TP/1.1\r\nHost: a\r\n\r\n");
  RawClient late(server->port());
  late.send(get_request("/"));
  for (RawClient* const client : {&idle, &half, &late}) {
    EXPECT_EQ(client->receive().status, 503);
    EXPECT_TRUE(client->ends());
  }
  std::future<bool> drained = std::async(std::launch::async, [&] { return server->drain(std::chrono::seconds(20)); });
  pipe->put("the end");
  EXPECT_EQ(busy.receive_some(), "7\r\nthe end\r\n");
  pipe->end();
  EXPECT_TRUE(drained.get());
  EXPECT_EQ(busy.receive_some(), "0\r\n\r\n");
  EXPECT_TRUE(busy.ends());
}

TEST(HttpServerLife, StopsInTheMidstOfEverything) {
  const auto pipe = std::make_shared<Pipe>();
  ServerConfig config = any_port();
  config.threads = 2;
  auto server = Server::listen(config, [&](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const char* bytes : {"", "GET", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na",
                            "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "rubbish\r\n\r\n"}) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->send(bytes);
  }
  EXPECT_TRUE(eventually([&] { return pipe->advances() > 0; }));
  server.reset();
  EXPECT_TRUE(pipe->work_is_gone());
  pipe->put("for nobody");
}

TEST(HttpServerLife, IdleItUsesNoProcessorTime) {
  const auto server = Server::listen(any_port(), echo);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->send(get_request("/"));
    EXPECT_EQ(clients.back()->receive().status, 200);
  }
  const double before = processor_seconds();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(processor_seconds() - before, 0.015);
}

TEST(HttpServerLife, HoldsManyStreamsAndGivesEveryDescriptorBack) {
  constexpr int kStreams = 500;
  constexpr int kTokens = 20;
  const size_t before = open_files();
  {
    ServerConfig config = any_port();
    config.threads = 2;
    std::vector<std::shared_ptr<Pipe>> pipes(kStreams);
    std::atomic<int> begun = 0;
    const auto server = Server::listen(config, [&](const Request& request, const Wake& wake) {
      auto& pipe = pipes[std::stoul(request.path.substr(1))];
      pipe = std::make_shared<Pipe>();
      std::unique_ptr<Work> work = Pipe::work(pipe, wake);
      ++begun;
      return work;
    });
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < kStreams; ++i) {
      clients.push_back(std::make_unique<RawClient>(server->port()));
      clients.back()->send(get_request("/" + std::to_string(i)));
    }
    ASSERT_TRUE(eventually([&] { return begun == kStreams; }));
    std::string expected;
    for (int token = 0; token < kTokens; ++token) {
      for (const auto& pipe : pipes) pipe->put(" " + std::to_string(token));
      expected += " " + std::to_string(token);
    }
    for (const auto& pipe : pipes) pipe->end();
    for (const auto& client : clients) {
      const RawResponse response = client->receive();
      EXPECT_TRUE(response.complete);
      EXPECT_EQ(response.body, expected);
    }
    EXPECT_EQ(server->stats().connections, kStreams);
    clients.clear();
    EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  }
  EXPECT_EQ(open_files(), before);
}

TEST(HttpServerLife, OutOfDescriptorsItWaitsForSome) {
  // UBSan takes descriptors when it first meets a class: the logger's here, while there are some.
  log::warn("{} files are open", open_files());
  const auto server = Server::listen(any_port(), echo);
  EXPECT_EQ(get(server->port(), "/").status, 200);
  RawClient client(server->port());  // one that waits in the system's queue below
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlimit low = limit;
  ASSERT_TRUE(eventually([&] { return server->stats().accepted == 2; }));
  {
    // All but one of the descriptors are taken; the client below takes the last.
    std::vector<std::unique_ptr<std::FILE, int (*)(std::FILE*)>> taken;
    low.rlim_cur = open_files() + 8;
    ::setrlimit(RLIMIT_NOFILE, &low);
    while (std::FILE* file = std::fopen("/dev/null", "r")) taken.emplace_back(file, &std::fclose);
    taken.pop_back();
    RawClient waiting(server->port());
    waiting.send(get_request("/waiting"));
    const double before = processor_seconds();
    EXPECT_EQ(waiting.receive_some(milliseconds(300)), "");
    EXPECT_LT(processor_seconds() - before, 0.05);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    EXPECT_EQ(waiting.receive().body, "GET /waiting? ");
  }
}

}  // namespace
}  // namespace caravel::http::test
