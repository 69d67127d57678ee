#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/interrupt.h"
#include "http/http.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::http::test {
namespace {

using std::chrono::milliseconds;

/// Its parameter: work is advanced aside.
class HttpStream : public testing::TestWithParam<bool> {
 protected:
  /// A server whose every answer is one pipe of the test's.
  struct Piped {
    /// comment: the pipe's.
    explicit Piped(const ServerConfig& config = any_port(), const std::string& comment = "")
        : pipe(std::make_shared<Pipe>(GetParam(), comment)) {
      server =
          Server::listen(config, [pipe = pipe](const Request&, const Wake& wake) { return Pipe::work(pipe, wake); });
    }
    std::shared_ptr<Pipe> pipe;
    std::unique_ptr<Server> server;
  };
};

INSTANTIATE_TEST_SUITE_P(Work, HttpStream, testing::Bool(),
                         [](const auto& test) { return test.param ? "Aside" : "OnTheLoop"; });

TEST_P(HttpStream, SendsPiecesAsTheyCome) {
  Piped piped;
  RawClient client(piped.server->port());
  client.send(get_request("/"));
  EXPECT_THAT(client.receive_some(), testing::HasSubstr("Transfer-Encoding: chunked\r\n"));
  piped.pipe->put("one");
  EXPECT_EQ(client.receive_some(), "3\r\none\r\n");
  piped.pipe->put("and two");
  EXPECT_EQ(client.receive_some(), "7\r\nand two\r\n");
  EXPECT_FALSE(piped.pipe->work_is_gone());
  piped.pipe->end();
  EXPECT_EQ(client.receive_some(), "0\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return piped.pipe->work_is_gone(); }));
}

TEST_P(HttpStream, GivesOldClientsTheBodyUntilTheEnd) {
  Piped piped;
  RawClient client(piped.server->port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  piped.pipe->put("one ");
  piped.pipe->put("two");
  piped.pipe->end();
  const RawResponse response = client.receive();
  EXPECT_FALSE(response.headers.contains("transfer-encoding"));
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_EQ(response.body, "one two");
}

TEST_P(HttpStream, AWakeBeforeTheHandlerReturnsIsNotLost) {
  const auto server = Server::listen(any_port(), [](const Request&, const Wake& wake) {
    const auto pipe = std::make_shared<Pipe>(GetParam());
    std::unique_ptr<Work> work = Pipe::work(pipe, wake);
    pipe->put("early");
    pipe->end();
    std::this_thread::sleep_for(milliseconds(20));
    return work;
  });
  EXPECT_EQ(get(server->port(), "/").body, "early");
}

TEST_P(HttpStream, AWakeAfterTheEndDoesNothing) {
  Wake kept;
  auto server = Server::listen(any_port(), [&](const Request&, const Wake& wake) {
    kept = wake;
    return ready(text_response("done"));
  });
  EXPECT_EQ(get(server->port(), "/").body, "done");
  kept();
  EXPECT_EQ(get(server->port(), "/").body, "done");
  server.reset();
  kept();
}

TEST_P(HttpStream, DropsTheWorkOfAClientThatGoesAway) {
  for (const bool reset : {false, true}) {
    Piped piped;
    RawClient client(piped.server->port());
    client.send(get_request("/"));
    client.receive_some();
    piped.pipe->put("x");
    client.receive_some();
    const auto begin = std::chrono::steady_clock::now();
    if (reset) {
      client.reset();
    } else {
      client.close();
    }
    EXPECT_TRUE(eventually([&] { return piped.pipe->work_is_gone(); }));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_TRUE(eventually([&] { return piped.server->stats().connections == 0; }));
    piped.pipe->put("for nobody");
  }
}

TEST_P(HttpStream, AClientThatHasEndedItsSideGetsItsStream) {
  Piped piped(any_port(), "(there?)");
  RawClient client(piped.server->port());
  client.send(get_request("/"));
  client.receive_some();
  piped.pipe->put("one");
  EXPECT_EQ(client.receive_some(), "3\r\none\r\n");
  client.finish();
  EXPECT_EQ(client.receive_some(), "8\r\n(there?)\r\n");
  EXPECT_FALSE(piped.pipe->work_is_gone());
  piped.pipe->put("two");
  EXPECT_EQ(client.receive_some(), "3\r\ntwo\r\n");
  piped.pipe->end();
  EXPECT_EQ(client.receive_some(), "0\r\n\r\n");
  EXPECT_TRUE(client.ends()) << "no request can follow";
  EXPECT_TRUE(eventually([&] { return piped.server->stats().connections == 0; }));
}

TEST_P(HttpStream, AClientThatClosesIsFoundOutByAProbe) {
  Piped piped(any_port(), "(there?)");
  RawClient client(piped.server->port());
  client.send(get_request("/"));
  client.receive_some();
  client.close();
  EXPECT_TRUE(eventually([&] { return piped.pipe->work_is_gone(); }));
}

TEST(HttpWork, AClientThatHasEndedItsSideIsAnswered) {
  std::atomic<bool> go = false;
  const auto server = Server::listen(any_port(), [&](const Request&, const Wake&) {
    eventually([&] { return go.load(); });
    return ready(text_response("late"));
  });
  RawClient client(server->port());
  client.send(get_request("/"));
  client.finish();
  // What comes first says that the request is in work, and shows whether anybody is there.
  EXPECT_EQ(client.receive_some(), "HTTP/1.1 100 Continue\r\n\r\n");
  go = true;
  const RawResponse response = client.receive();
  EXPECT_EQ(response.body, "late");
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_TRUE(client.ends());

  RawClient old(server->port());
  go = false;
  old.send("GET / HTTP/1.0\r\n\r\n");
  old.finish();
  EXPECT_TRUE(old.ends()) << "there are no interim responses in HTTP/1.0";
  go = true;
}

/// Who has closed the connection and who has ended one side send the same; the first is found out at once.
TEST(HttpWork, IsInterruptedWhereTheClientHasClosed) {
  for (const bool flag : {true, false}) {
    std::atomic<bool> interrupted = false;
    std::atomic<bool> inside = false;
    ServerConfig config = any_port();
    config.answer_half_closed = flag;
    const auto server = Server::listen(config, [&](const Request&, const Wake&) {
      inside = true;
      try {
        eventually([] {
          check_interrupt_now();
          return false;
        });
      } catch (const Interrupted&) {
        interrupted = true;
        throw;
      }
      return ready(text_response("for nobody"));
    });
    RawClient client(server->port());
    client.send(get_request("/"));
    EXPECT_TRUE(eventually([&] { return inside.load(); }));
    const auto begin = Clock::now();
    client.close();
    EXPECT_TRUE(eventually([&] { return interrupted.load(); }));
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(1));
    EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  }
}

TEST(HttpWork, OneSideMayCountAsGone) {
  ServerConfig config = any_port();
  config.answer_half_closed = false;
  std::atomic<bool> go = false;
  const auto server = Server::listen(config, [&](const Request&, const Wake&) {
    eventually([&] { return go.load(); });
    return ready(text_response("late"));
  });
  RawClient client(server->port());
  client.send(get_request("/"));
  client.finish();
  EXPECT_TRUE(client.ends());
  go = true;
}

TEST_P(HttpStream, DropsTheWorkThatAHandlerReturnsTooLate) {
  std::atomic<bool> go = false;
  std::atomic<bool> inside = false;
  const auto pipe = std::make_shared<Pipe>(GetParam());
  const auto server = Server::listen(any_port(), [&](const Request&, const Wake& wake) {
    inside = true;
    eventually([&] { return go.load(); });
    return Pipe::work(pipe, wake);
  });
  RawClient client(server->port());
  client.send(get_request("/"));
  EXPECT_TRUE(eventually([&] { return inside.load(); }));
  client.close();
  std::this_thread::sleep_for(milliseconds(20));
  go = true;
  EXPECT_TRUE(eventually([&] { return pipe->work_is_gone(); }));
  EXPECT_EQ(pipe->advances(), 0);
}

TEST_P(HttpStream, APipelinedRequestWaitsForTheStreamBeforeIt) {
  Piped piped;
  RawClient client(piped.server->port());
  client.send(get_request("/") + get_request("/"));
  client.receive_some();
  piped.pipe->put("first");
  EXPECT_EQ(client.receive_some(), "5\r\nfirst\r\n");
  EXPECT_EQ(piped.server->stats().requests, 1);
  piped.pipe->end();
  RawResponse rest;
  EXPECT_THAT(client.receive_some(), testing::StartsWith("0\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return piped.server->stats().requests == 2; }));
}

TEST_P(HttpStream, JoinsWhatASlowReaderHasNotTaken) {
  Piped piped;
  RawClient client(piped.server->port(), 4096);
  client.send(get_request("/"));
  constexpr int kPieces = 4000;
  const std::string piece(1000, 'x');
  for (int i = 0; i < kPieces; ++i) piped.pipe->put(piece);
  piped.pipe->end();
  const RawResponse response = client.receive();
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body.size(), kPieces * piece.size());
  EXPECT_LT(response.chunks, kPieces / 2);
}

TEST_P(HttpStream, DropsOneThatNeverReads) {
  ServerConfig config = any_port();
  config.write_timeout = milliseconds(200);
  Piped piped(config);
  RawClient client(piped.server->port(), 4096);
  client.send(get_request("/"));
  piped.pipe->put(std::string(16 << 20, 'x'));
  EXPECT_TRUE(eventually([&] { return piped.pipe->work_is_gone(); }));
  EXPECT_EQ(piped.server->stats().dropped_slow_readers, 1);
  EXPECT_TRUE(eventually([&] { return piped.server->stats().connections == 0; }));
}

TEST_P(HttpStream, ASlowReaderHoldsBackNobodyElse) {
  ServerConfig config = any_port();
  std::vector<std::shared_ptr<Pipe>> pipes = {std::make_shared<Pipe>(GetParam()), std::make_shared<Pipe>(GetParam())};
  const auto server = Server::listen(config, [&](const Request& request, const Wake& wake) {
    return Pipe::work(pipes[request.path == "/slow" ? 0 : 1], wake);
  });
  RawClient slow(server->port(), 4096);
  slow.send(get_request("/slow"));
  pipes[0]->put(std::string(16 << 20, 'x'));
  RawClient quick(server->port());
  quick.send(get_request("/quick"));
  quick.receive_some();
  for (int i = 0; i < 100; ++i) {
    pipes[1]->put("y");
    ASSERT_EQ(quick.receive_some(), "1\r\ny\r\n");
  }
}

/// Writes '.' at each advance(), and names the times that it is given, one after each.
class TimedWork final : public Work {
 public:
  TimedWork(std::vector<milliseconds> delays, bool aside) : delays_(std::move(delays)), aside_(aside) {}
  bool takes_long() const override { return aside_; }
  void advance(Writer& writer) override {
    if (advances_ == 0) writer.start({});
    writer.write(".");
    if (++advances_ > delays_.size()) writer.end();
  }
  Clock::time_point wake_time() const override { return Clock::now() + delays_.at(advances_ - 1); }

 private:
  std::vector<milliseconds> delays_;
  bool aside_;
  size_t advances_ = 0;
};

TEST_P(HttpStream, WorkIsAdvancedAtTheTimeThatItNames) {
  const auto server = Server::listen(any_port(), [](const Request&, const Wake&) {
    return std::make_unique<TimedWork>(std::vector{milliseconds(60), milliseconds(40), milliseconds(-1)}, GetParam());
  });
  const auto begin = Clock::now();
  EXPECT_EQ(get(server->port(), "/").body, "....");
  EXPECT_GE(Clock::now() - begin, milliseconds(100));
}

TEST_P(HttpStream, ATimeThatAWakeHasPutOffDoesNotCount) {
  Wake wake;
  const auto server = Server::listen(any_port(), [&](const Request&, const Wake& given) {
    wake = given;
    return std::make_unique<TimedWork>(std::vector{milliseconds(200), milliseconds(60'000), milliseconds(60'000)},
                                       GetParam());
  });
  RawClient client(server->port());
  client.send(get_request("/"));
  EXPECT_THAT(client.receive_some(), testing::EndsWith("1\r\n.\r\n"));
  wake();
  EXPECT_EQ(client.receive_some(), "1\r\n.\r\n");
  EXPECT_EQ(client.receive_some(milliseconds(400)), "");
  wake();
  EXPECT_EQ(client.receive_some(), "1\r\n.\r\n");
}

TEST_P(HttpStream, EndsTheConnectionWhereWorkFailsInTheMidst) {
  class FailingWork final : public Work {
   public:
    explicit FailingWork(Wake wake) : wake_(std::move(wake)) {}
    bool takes_long() const override { return GetParam(); }
    void advance(Writer& writer) override {
      if (std::exchange(started_, true)) throw std::runtime_error("a secret");
      writer.start({});
      writer.write("half");
      wake_();
    }

   private:
    Wake wake_;
    bool started_ = false;
  };
  const auto server =
      Server::listen(any_port(), [](const Request&, const Wake& wake) { return std::make_unique<FailingWork>(wake); });
  const RawResponse response = get(server->port(), "/");
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
}

/// Each step has no news but what came during the one before.
TEST(HttpWork, NewsWhileItIsAsideAreNotLost) {
  class RestlessWork final : public Work {
   public:
    explicit RestlessWork(Wake wake) : wake_(std::move(wake)) {}
    bool takes_long() const override { return step_ % 2 == 1; }
    void advance(Writer& writer) override {
      if (step_ == 0) {
        loop_ = std::this_thread::get_id();
        writer.start({});
      }
      writer.write(std::this_thread::get_id() == loop_ ? "l" : "a");
      wake_();
      if (++step_ == 5) writer.end();
    }

   private:
    Wake wake_;
    std::thread::id loop_;
    int step_ = 0;
  };
  const auto server =
      Server::listen(any_port(), [](const Request&, const Wake& wake) { return std::make_unique<RestlessWork>(wake); });
  for (int i = 0; i < 100; ++i) ASSERT_EQ(get(server->port(), "/").body, "lalal");
}

TEST(HttpWork, AsideMayOutliveItsClientAndTheServer) {
  struct Held final : Work {
    Held(std::atomic<int>& began_now, std::atomic<bool>& go_on) : began(began_now), go(go_on) {}
    bool takes_long() const override { return true; }
    void advance(Writer& writer) override {
      ++began;
      eventually([&] { return go.load(); });
      writer.respond(text_response("late"));
    }
    std::atomic<int>& began;
    std::atomic<bool>& go;
  };
  std::atomic<int> began = 0;
  std::atomic<bool> go = false;
  auto server =
      Server::listen(any_port(), [&](const Request&, const Wake&) { return std::make_unique<Held>(began, go); });
  RawClient gone(server->port());
  gone.send(get_request("/"));
  EXPECT_TRUE(eventually([&] { return began == 1; }));
  gone.reset();
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  RawClient waiting(server->port());
  waiting.send(get_request("/"));
  std::thread stop([&] { server.reset(); });
  go = true;
  stop.join();
}

}  // namespace
}  // namespace caravel::http::test
