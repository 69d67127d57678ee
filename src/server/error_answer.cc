#include "server/error_answer.h"

#include "server/anthropic/errors.h"
#include "server/endpoint/api_error.h"

namespace caravel::server {

http::Response error_answer(const std::string& path, const std::exception& error) {
  return path.starts_with("/v1/messages") ? anthropic::error_response(error) : error_response(error);
}

}  // namespace caravel::server
