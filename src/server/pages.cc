#include "server/pages.h"

#include <fmt/format.h>

#include <utility>

#include "server/endpoint/api_error.h"
#include "server/web/assets.h"

namespace caravel::server {
namespace {

constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

std::unique_ptr<http::Work> page(const Call& call) {
  const http::Request& request = call.request;
  const web::Asset* asset = web::find_asset(request.path);
  if (asset == nullptr) {
    throw ApiError(404, "invalid_request_error", fmt::format("There is no page {}.", request.path));
  }
  http::Response response;
  response.headers.add("ETag", std::string(asset->etag));
  response.headers.add("Cache-Control", "no-cache");  // ask again; 304 while it is the same
  response.headers.add("Content-Security-Policy", kContentSecurityPolicy);
  response.headers.add("X-Frame-Options", "DENY");
  response.headers.add("Referrer-Policy", "no-referrer");
  response.headers.add("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  if (const auto known = request.headers.find("If-None-Match"); known && known->find(asset->etag) != known->npos) {
    response.status = 304;
    return http::ready(std::move(response));
  }
  response.headers.add("Content-Type", std::string(asset->content_type));
  response.body = asset->bytes;
  return http::ready(std::move(response));
}

}  // namespace caravel::server
