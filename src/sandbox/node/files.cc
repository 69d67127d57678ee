#include "sandbox/node/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace caravel::sandbox::node {
namespace {

// Of linux/landlock.h, whose older versions lack the later ones.
constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadFolder = 1 << 3;
constexpr uint32_t kVersion = 1;  // a flag: how much the kernel knows
constexpr int kBeneath = 1;
/// Rights of files by the version that brought them: all of the first, refer, truncate, requests to devices.
constexpr std::array<int, 5> kFileRights = {13, 14, 15, 15, 16};

struct Ruleset {
  uint64_t files = 0;
  uint64_t network = 0;
  uint64_t scopes = 0;
};

struct __attribute__((packed)) Beneath {
  uint64_t allowed = 0;
  int32_t folder = -1;
};

Ruleset all_that(int version) {
  const size_t known =
      static_cast<size_t>(version) > kFileRights.size() ? kFileRights.size() : static_cast<size_t>(version);
  Ruleset all;
  all.files = (uint64_t{1} << kFileRights.at(known - 1)) - 1;
  if (version >= 4) all.network = 3;  // to bind, to connect
  if (version >= 6) all.scopes = 3;   // abstract sockets, signals
  return all;
}

size_t bytes_known_to(int version) { return version >= 6 ? 24 : version >= 4 ? 16 : 8; }

bool allow(int rules, const char* path) {
  struct stat is {};
  Beneath rule{.allowed = kExecute | kReadFile, .folder = ::open(path, O_PATH | O_CLOEXEC)};
  if (rule.folder < 0) return false;
  if (::fstat(rule.folder, &is) == 0 && S_ISDIR(is.st_mode)) rule.allowed |= kReadFolder;
  const bool ok = ::syscall(SYS_landlock_add_rule, rules, kBeneath, &rule, 0) == 0;
  ::close(rule.folder);
  return ok;
}

}  // namespace

bool read_only_within(const std::string& folder) {
  const auto version = static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersion));
  if (version < 1) return false;
  const Ruleset all = all_that(version);
  const auto rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, bytes_known_to(version), 0));
  if (rules < 0) return false;
  bool ok = allow(rules, folder.c_str());
  // Some systems lack one or another; without what it needs, Node does not start.
  for (const char* const path :
       {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/dev/null"})
    allow(rules, path);
  ok = ok && ::syscall(SYS_landlock_restrict_self, rules, 0) == 0;
  ::close(rules);
  return ok;
}

}  // namespace caravel::sandbox::node
