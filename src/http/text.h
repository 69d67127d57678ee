#pragma once

#include <string>
#include <string_view>

#include "http/http.h"

namespace caravel::http {

/// ASCII letters alone.
bool equal_without_case(std::string_view a, std::string_view b);

/// Without the blanks and tabs around it.
std::string_view trimmed(std::string_view text);

/// "Not Found" for 404; "Unknown" for what has no name.
std::string_view reason_phrase(int status);

/// How the body that follows a head is delimited.
enum class Framing {
  kLength,   // Content-Length
  kChunked,  // pieces, each behind its length
  kClose,    // everything until the connection ends: for HTTP/1.0
  kNone,     // 204, 304: no body and no length
};

/// Status line and headers, with the empty line, appended to `out`. Content-Length, Transfer-Encoding, Connection and
/// Date are written here: those of `response` are left out. Control characters in values become spaces.
void append_head(std::string& out, const Response& response, Framing framing, bool keep_alive);

/// One chunk of a chunked body, appended to `out`; nothing for an empty piece, which would end the body.
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Empties a buffer for its next use, with at most 64 KiB of its memory.
void recycle(std::string& buffer);

/// {"error": {"message", "type", "param": null, "code"}}: what the server says by itself. The texts need no escaping.
Response error_response(int status, std::string_view message, std::string_view code);
/// 429, rate_limit_exceeded, with Retry-After.
Response retry_later(std::string_view message);
/// 500 that says nothing of the inside.
Response internal_error();

}  // namespace caravel::http
