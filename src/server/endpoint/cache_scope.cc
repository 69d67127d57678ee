#include "server/endpoint/cache_scope.h"

namespace caravel::server {

std::string cache_scope(const Call& call, std::string salt) {
  if (!call.services.config.prefix_cache_per_key) return salt;
  for (const char* const name : {"x-api-key", "Authorization"}) {
    salt += '\n';
    salt += call.request.headers.find(name).value_or("");
  }
  return salt;
}

}  // namespace caravel::server
