#include "sandbox/own_child.h"

#include "sandbox/lua/lua_child.h"
#include "sandbox/node/node_child.h"

namespace caravel::sandbox {
namespace {

constexpr std::string_view kPrefix = "sandbox-";

}  // namespace

std::vector<std::string> own_child(std::string_view name) {
  return {"/proc/self/exe", std::string(kPrefix).append(name)};
}

std::optional<int> own_child_main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == own_child("lua")[1]) return lua::lua_child_main();
  if (argc > 1 && std::string_view(argv[1]) == own_child("node")[1]) return node::node_child_main(argc, argv);
  return std::nullopt;
}

}  // namespace caravel::sandbox
