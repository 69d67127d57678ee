#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace caravel::http {
namespace {

using State = RequestReader::State;

const ReaderLimits kSmall = {.header_bytes = 300, .body_bytes = 64};

/// The request in `bytes`, offered in pieces of `step`; what remains is left in `bytes`.
Request read(std::string& bytes, size_t step, const ReaderLimits& limits = kSmall) {
  RequestReader reader(limits);
  std::string pending;
  size_t offered = 0;
  while (reader.state() != State::kComplete) {
    const size_t taken = reader.read(pending);
    pending.erase(0, taken);
    if (taken > 0) continue;
    if (offered == bytes.size()) break;
    const size_t count = std::min(step, bytes.size() - offered);
    pending += bytes.substr(offered, count);
    offered += count;
  }
  EXPECT_EQ(reader.state(), State::kComplete) << bytes;
  bytes = pending + bytes.substr(offered);
  return std::move(reader.request());
}

/// The status that `bytes` are refused with, the same however they are cut; 0: they are not refused.
int refused(const std::string& bytes, const ReaderLimits& limits = kSmall) {
  std::optional<int> status;
  for (size_t step : {bytes.size(), size_t{1}, size_t{7}}) {
    int found = 0;
    try {
      std::string copy = bytes;
      RequestReader reader(limits);
      std::string pending;
      for (size_t at = 0; at < bytes.size() && reader.state() != State::kComplete; at += step) {
        pending += bytes.substr(at, step);
        for (size_t taken = 1; taken > 0 && reader.state() != State::kComplete;) {
          taken = reader.read(pending);
          pending.erase(0, taken);
        }
      }
    } catch (const BadRequest& error) {
      found = error.status;
    }
    EXPECT_EQ(status.value_or(found), found) << "in pieces of " << step << ": " << bytes;
    status = found;
  }
  return *status;
}

std::string with_headers(const std::string& headers, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

TEST(RequestReader, ReadsTheSameRequestHoweverItIsCut) {
  const std::string bytes =
      "\r\nPOST /a%20b/%e2%82%ac?q=%20 HTTP/1.1\r\nHost: h:1\r\nX-Twice: 1\r\nx-twice: 2\r\nEmpty:\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: ignored\r\n\r\n"
      "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    std::string rest = bytes;
    const Request first = read(rest, step);
    EXPECT_EQ(first.method, "POST");
    EXPECT_EQ(first.path, "/a b/\xe2\x82\xac");
    EXPECT_EQ(first.query, "q=%20");
    EXPECT_EQ(first.body, "hello world");
    EXPECT_EQ(first.headers.find("X-TWICE"), "1");
    EXPECT_EQ(first.headers.find("empty"), "");
    EXPECT_EQ(first.headers.find("Trailer"), std::nullopt);
    EXPECT_EQ(first.headers.fields().size(), 5u);
    const Request second = read(rest, step);
    EXPECT_EQ(second.path, "/next");
    EXPECT_EQ(rest, "");
  }
}

TEST(RequestReader, StopsAfterTheHeadSoThatItMayBeRefused) {
  RequestReader reader(kSmall);
  const std::string bytes = with_headers("Content-Length: 3\r\nExpect: 100-continue\r\n", "abc");
  const size_t head = reader.read(bytes);
  EXPECT_EQ(head, bytes.size() - 3);
  EXPECT_EQ(reader.state(), State::kBody);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_EQ(reader.read(std::string_view(bytes).substr(head)), 3u);
  EXPECT_EQ(reader.state(), State::kComplete);
  EXPECT_EQ(reader.request().body, "abc");
}

TEST(RequestReader, TakesEveryFormOfATarget) {
  const auto path_of = [](const std::string& target) {
    std::string bytes = "OPTIONS " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const Request request = read(bytes, bytes.size());
    return request.path + "?" + request.query;
  };
  EXPECT_EQ(path_of("*"), "*?");
  EXPECT_EQ(path_of("/"), "/?");
  EXPECT_EQ(path_of("/a?b?c"), "/a?b?c");
  EXPECT_EQ(path_of("http://host:1/a?b"), "/a?b");
  EXPECT_EQ(path_of("HTTP://host"), "/?");
  EXPECT_EQ(path_of("http://host?b"), "/?b");
  std::string bytes = "GET http://other:1/a HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(read(bytes, bytes.size()).headers.find("host"), "other:1");  // RFC 9112, 3.2.2
  for (const char* bad : {"/%", "/%1", "/%zz", "/a%00b", "host:80", "%2f"}) {
    EXPECT_EQ(refused(std::string("GET ") + bad + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << bad;
  }
}

TEST(RequestReader, RefusesWhatTwoReadersMightEndInDifferentPlaces) {
  EXPECT_EQ(refused(with_headers("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: 3, 4\r\n", "abcd")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: -1\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: +3\r\n", "abc")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: 0x3\r\n", "abc")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length:\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length: 99999999999999999999\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Content-Length : 3\r\n", "abc")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")), 501);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")), 501);
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(refused(with_headers("A: 1\r\n folded\r\n")), 400);
  EXPECT_EQ(refused(with_headers("A: 1\r\n\tfolded\r\n")), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "x\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n")), 400);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\nA: 1\r\n\r\n")), 400);
  EXPECT_EQ(refused(with_headers("A: 1\nB: 2\r\n")), 400);
  EXPECT_EQ(refused(with_headers(std::string("A: 1\0\r\n", 7))), 400);
}

TEST(RequestReader, RefusesWhatIsNotHttp) {
  EXPECT_EQ(refused("\x16\x03\x01 a TLS greeting"), 400);
  EXPECT_EQ(refused("GET /\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refused("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/2.0\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/x\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(refused("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refused(with_headers("Expect: a-miracle\r\nContent-Length: 1\r\n", "a")), 417);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(RequestReader, HoldsItsLimits) {
  EXPECT_EQ(refused("GET /" + std::string(400, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(refused("GET /" + std::string(400, 'a')), 414);
  EXPECT_EQ(refused(with_headers("A: " + std::string(400, 'a') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  EXPECT_EQ(refused(with_headers(many)), 431);
  EXPECT_EQ(refused(with_headers("Content-Length: 65\r\n")), 413);
  EXPECT_EQ(refused(with_headers("Content-Length: 64\r\n", std::string(64, 'a'))), 0);
  const std::string chunk = "20\r\n" + std::string(32, 'a') + "\r\n";
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n")), 0);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", chunk + chunk + "1\r\na\r\n0\r\n\r\n")), 413);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n")), 413);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "1;" + std::string(400, 'a'))), 431);
  EXPECT_EQ(refused(with_headers("Transfer-Encoding: chunked\r\n", "0\r\nA: " + std::string(400, 'a'))), 431);
}

}  // namespace
}  // namespace caravel::http
