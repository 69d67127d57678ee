#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/endpoint/call.h"

namespace caravel::server {

/// One thing that the server answers.
struct Route {
  std::string_view method;
  std::string_view path;  // "{id}" at its end stands for all that follows, one character at least
  bool needs_key;
  Endpoint endpoint;
};

std::span<const Route> routes();

/// The route of a request, nullptr where there is none. HEAD counts as GET.
const Route* find_route(std::string_view method, std::string_view path);

/// The methods of that path, as an Allow header has them; empty where nothing has the path.
std::string allowed_methods(std::string_view path);

/// What was meant by a path that nothing has, as a sentence; empty: nothing that is known.
std::string path_hint(std::string_view path);

}  // namespace caravel::server
