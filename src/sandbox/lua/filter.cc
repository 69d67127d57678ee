#include "sandbox/lua/filter.h"

#include <linux/mman.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <memory>

#include "sandbox/sanitized.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int kPlain[] = {
    SCMP_SYS(exit),          SCMP_SYS(exit_group),   SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
    SCMP_SYS(brk),           SCMP_SYS(munmap),       SCMP_SYS(mremap),       SCMP_SYS(madvise),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),         SCMP_SYS(futex),
};

}  // namespace

bool allow_only(int fd) {
  if (kSanitized) return true;
  const std::unique_ptr<void, void (*)(void*)> rules(::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release);
  if (rules == nullptr) return false;
  bool ok = true;
  for (const int call : kPlain) ok = ok && ::seccomp_rule_add(rules.get(), SCMP_ACT_ALLOW, call, 0) == 0;
  for (const int call : {SCMP_SYS(read), SCMP_SYS(write)}) {
    ok = ok && ::seccomp_rule_add(rules.get(), SCMP_ACT_ALLOW, call, 1,
                                  SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(fd))) == 0;
  }
  // Memory of its own, never to be run.
  ok = ok &&
       ::seccomp_rule_add(rules.get(), SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)) == 0;
  ok = ok && ::seccomp_rule_add(rules.get(), SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
  return ok && ::seccomp_load(rules.get()) == 0;
}

}  // namespace caravel::sandbox::lua
