#include "server/answers.h"

#include "fields/json.h"

namespace caravel::server {

http::Response json_response(std::string body) {
  http::Response response{.status = 200, .headers = {}, .body = std::move(body)};
  response.headers.add("Content-Type", "application/json");
  return response;
}

http::Response error_answer(const std::string& path, const openai::ApiError& error) {
  if (!path.starts_with("/v1/messages")) return openai::error_response(error);
  http::Response response =
      json_response(to_text({{"type", "error"}, {"error", {{"type", error.type}, {"message", error.what()}}}}));
  response.status = error.status;
  return response;
}

}  // namespace caravel::server
