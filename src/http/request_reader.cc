#include "http/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "http/target.h"
#include "http/text.h"

namespace caravel::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

std::string to_string(beast::string_view text) { return {text.data(), text.size()}; }

bool is_token_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

BadRequest too_large_head(bool in_first_line, size_t limit) {
  if (in_first_line) return {414, fmt::format("the request line is longer than {} bytes", limit), "uri_too_long"};
  return {431, fmt::format("the request's headers are longer than {} bytes", limit), "headers_too_large"};
}

/// Whether the first line of `head` ends in a version of HTTP.
bool ends_in_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
         is_digit(version[7]);
}

/// rest: from the first byte that the error may be about.
BadRequest refusal(const error_code& error, bool in_first_line, std::string_view rest, const ReaderLimits& limits) {
  using Error = beast::http::error;
  if (error == Error::header_limit) return too_large_head(in_first_line, limits.header_bytes);
  if (error == Error::body_limit)
    return {413,
            fmt::format("the request's body is larger than {} bytes: send less, or start the server with a larger "
                        "--max-body-size, and memory for it",
                        limits.body_bytes),
            "body_too_large"};
  if (error == Error::bad_version && ends_in_version(rest))
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here", "bad_version"};
  if (error == Error::bad_version)
    return {400, "malformed request: its first line does not end in HTTP/1.1", "bad_request"};
  return {400, fmt::format("malformed request: {}", error.message()), "bad_request"};
}

}  // namespace

struct RequestReader::Parser final : beast::http::basic_parser<true> {
  explicit Parser(const ReaderLimits& reader_limits) : limits(reader_limits) {
    header_limit(static_cast<uint32_t>(std::min<size_t>(limits.header_bytes, 1u << 30)));
    body_limit(limits.body_bytes);
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int http_version,
                       error_code&) override {
    request.method = to_string(method);
    raw_target = to_string(target);
    version = http_version;
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, error_code&) override {
    if (!head_complete) request.headers.add(to_string(name), to_string(value));  // after it: trailers
  }
  void on_header_impl(error_code&) override { head_complete = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& declared, error_code&) override {
    length = static_cast<size_t>(declared.value_or(0));
  }
  size_t on_body_impl(beast::string_view body, error_code&) override {
    // Copying a large body each time that it doubles would keep the others waiting. Room for all of it is taken once an
    // eighth has come: who declares much and sends little gets little.
    const size_t size = request.body.size() + body.size();
    if (size > request.body.capacity() && size >= length / 8) request.body.reserve(std::max(size, length));
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, beast::string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, error_code&) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  /// What the RFC, or this server, asks of a head that is well-formed line by line.
  void check_head() {
    if (!std::ranges::all_of(request.method, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; }) ||
        request.method == "CONNECT")
      throw BadRequest(501, "the request's method is not known here", "bad_method");
    int hosts = 0;
    int codings = 0;
    for (const auto& [name, value] : request.headers.fields()) {
      if (equal_without_case(name, "Host")) ++hosts;
      if (equal_without_case(name, "Transfer-Encoding")) {
        ++codings;
        if (version < 11) throw BadRequest(400, "malformed request: Transfer-Encoding in HTTP/1.0", "bad_request");
        if (!equal_without_case(trimmed(value), "chunked"))
          throw BadRequest(501, "the only Transfer-Encoding that is known here is chunked", "bad_transfer_encoding");
      }
      if (equal_without_case(name, "Expect") && !equal_without_case(trimmed(value), "100-continue"))
        throw BadRequest(417, "the only Expect that is known here is 100-continue", "bad_expect");
    }
    if (hosts > 1 || (hosts == 0 && version >= 11))
      throw BadRequest(400, fmt::format("malformed request: {} Host headers, not one", hosts), "bad_request");
    // Beast refuses both in one request and repeated codings; this keeps that from hanging on its version.
    if (codings > 1 || (codings == 1 && request.headers.find("Content-Length")))
      throw BadRequest(400, "malformed request: its length is given in two ways", "bad_request");
    auto [authority, path, query] = split_target(raw_target);
    // RFC 9112, 3.2.2: what the target names counts, whatever Host says.
    if (!authority.empty()) request.headers.set("Host", std::move(authority));
    request.path = std::move(path);
    request.query = std::move(query);
  }

  ReaderLimits limits;
  Request request;
  std::string raw_target;
  int version = 11;
  size_t length = 0;      // of the body, where it was said
  size_t head_bytes = 0;  // taken
  bool head_complete = false;
};

RequestReader::RequestReader(const ReaderLimits& limits) : parser_(std::make_unique<Parser>(limits)) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

RequestReader::State RequestReader::state() const {
  if (!parser_->is_header_done()) return State::kHead;
  return parser_->is_done() ? State::kComplete : State::kBody;
}

Request& RequestReader::request() { return parser_->request; }
bool RequestReader::keep_alive() const { return parser_->keep_alive(); }
bool RequestReader::takes_chunks() const { return parser_->version >= 11; }
bool RequestReader::expects_continue() const {
  return parser_->version >= 11 && state() == State::kBody && parser_->request.headers.find("Expect");
}

size_t RequestReader::read(std::string_view bytes) {
  size_t taken = 0;
  if (!parser_->got_some()) {
    while (bytes.substr(taken).starts_with("\r\n")) taken += 2;  // RFC 9112, 2.2: empty lines before a request
    if (taken == bytes.size() || bytes.substr(taken) == "\r") return taken;
    if (!is_token_byte(bytes[taken]))
      throw BadRequest(400, "malformed request: it does not begin with a method", "bad_request");
  }
  const bool reads_head = !parser_->is_header_done();
  while (taken < bytes.size() && !parser_->is_done()) {
    const std::string_view rest = bytes.substr(taken);
    if (!reads_head && parser_->chunked() && rest.size() < kLastChunk.size()) break;  // Beast asserts on less
    if (reads_head && parser_->request.method.empty()) {
      // Beast takes it for a part of the version, or waits for an end of the head that will not come.
      const size_t line_end = rest.find('\n');
      if (line_end != rest.npos && (line_end == 0 || rest[line_end - 1] != '\r'))
        throw BadRequest(400, "malformed request: its first line ends in LF alone, not in CR LF", "bad_request");
    }
    error_code error;
    const size_t count = parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    taken += count;
    const bool in_first_line = parser_->request.method.empty() && rest.find("\r\n") >= parser_->limits.header_bytes;
    if (error && error != beast::http::error::need_more) throw refusal(error, in_first_line, rest, parser_->limits);
    if (reads_head) {
      // Beast takes the head in whole lines, a folded one with the line before it.
      const std::string_view lines = rest.substr(0, count);
      if (lines.find("\r\n ") != lines.npos || lines.find("\r\n\t") != lines.npos)
        throw BadRequest(400, "malformed request: a header is folded over two lines", "bad_request");
      parser_->head_bytes += count;
      if (parser_->head_bytes > parser_->limits.header_bytes)
        throw too_large_head(in_first_line, parser_->limits.header_bytes);
      if (parser_->is_header_done()) {
        parser_->check_head();
        break;
      }
    }
    if (error && !reads_head && parser_->chunked()) {
      // What Beast leaves lying are lines without an end, which it would wait for.
      const std::string_view lines = bytes.substr(taken);
      for (size_t end = lines.find('\n'); end != lines.npos; end = lines.find('\n', end + 1)) {
        if (end == 0 || lines[end - 1] != '\r')
          throw BadRequest(400, "malformed request: a line of its chunks ends in LF alone, not in CR LF",
                           "bad_request");
      }
    }
    if (error) {
      // Nor is a line, a chunk's header or what trails the chunks gathered without an end.
      const size_t waiting = (reads_head ? parser_->head_bytes : 0) + bytes.size() - taken;
      if (waiting > parser_->limits.header_bytes) throw too_large_head(in_first_line, parser_->limits.header_bytes);
      break;
    }
  }
  return taken;
}

}  // namespace caravel::http
