#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/http.h"

namespace caravel::http {

/// What a client sent is not a request that this server takes; `code` as in error_response.
class BadRequest : public Error {
 public:
  BadRequest(int status_code, const std::string& message, std::string error_code)
      : Error(message), status(status_code), code(std::move(error_code)) {}

  int status;
  std::string code;
};

struct ReaderLimits {
  size_t header_bytes = 64 << 10;  // request line and headers; trailers, apart
  size_t body_bytes = 32 << 20;
};

/// Reads one request from bytes as they come (RFC 9112), stricter than the RFC where two readers might disagree on
/// where a request ends: lengths in conflict, folded lines and codings other than chunked are refused.
class RequestReader {
 public:
  enum class State { kHead, kBody, kComplete };

  explicit RequestReader(const ReaderLimits& limits);
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  /// Reads on, at most to the end of the head, or from there to the end of the request, and says how many of `bytes` it
  /// took. The others are to be offered again with more behind them. Throws BadRequest, after which it is of no use.
  size_t read(std::string_view bytes);

  State state() const;
  /// Whole in kComplete; without its body in kBody. `id` and `peer` are left to the caller.
  Request& request();
  bool keep_alive() const;        // as the client wishes it
  bool expects_continue() const;  // it waits for "100 Continue" before it sends the body
  bool takes_chunks() const;      // HTTP/1.1

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace caravel::http
