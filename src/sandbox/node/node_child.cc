#include "sandbox/node/node_child.h"

#include <unistd.h>

#include <string>

#include "sandbox/node/calls.h"
#include "sandbox/node/files.h"
#include "sandbox/own_child.h"

namespace caravel::sandbox::node {
namespace {

constexpr int kFirst = 2;  // behind the program and its own word: node, folder, script, words...
constexpr int kFewest = 5;

}  // namespace

std::vector<std::string> node_command(const std::string& node, const std::string& folder, const std::string& script,
                                      const std::vector<std::string>& words) {
  std::vector<std::string> command = own_child("node");
  command.insert(command.end(), {node, folder, script});
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

int node_child_main(int argc, char** argv) {
  if (argc < kFewest) return 1;
  const std::string folder = argv[kFirst + 1];
  std::vector<std::string> arguments = {argv[kFirst],
                                        "--permission",
                                        "--allow-fs-read=" + folder + "/*",
                                        "--max-old-space-size=256",
                                        "--max-semi-space-size=2",  // MiB; of 16, a third of it all is young garbage
                                        "--disable-wasm-trap-handler",  // which reserves gigabytes of addresses
                                        "--no-warnings"};
  for (int i = kFirst + 2; i < argc; ++i) arguments.emplace_back(argv[i]);
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  // Kernels before 5.13 have no Landlock; what else holds the process does not need it.
  read_only_within(folder);
  if (!forbid_harm()) return 1;
  ::execve(words.front(), words.data(), environ);
  return 1;
}

}  // namespace caravel::sandbox::node
