#include "sandbox/node/calls.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>

#include <cerrno>
#include <memory>

#include "sandbox/sanitized.h"

namespace caravel::sandbox::node {
namespace {

constexpr int kForbidden[] = {
    // Processes, and others' memory.
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(pidfd_getfd), SCMP_SYS(unshare), SCMP_SYS(setns),
    // Connections.
    SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
    SCMP_SYS(shmget), SCMP_SYS(semget), SCMP_SYS(msgget), SCMP_SYS(mq_open),
    // Files.
    SCMP_SYS(creat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
    SCMP_SYS(symlinkat), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(utime),
    SCMP_SYS(utimes), SCMP_SYS(utimensat), SCMP_SYS(futimesat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
    // The kernel.
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(reboot),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(sethostname), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime)};

/// Of these a library falls back to calls that are looked at: what they would do stands in memory, out of a filter's
/// sight.
constexpr int kUnseen[] = {SCMP_SYS(clone3), SCMP_SYS(openat2), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
                           SCMP_SYS(io_uring_register)};

class Rules {
 public:
  Rules() : rules_(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release), ok_(rules_ != nullptr) {}

  template <typename... Conditions>
  void refuse(int call, int error, Conditions... when) {
    ok_ = ok_ && ::seccomp_rule_add(rules_.get(), SCMP_ACT_ERRNO(error), call, sizeof...(when), when...) == 0;
  }

  bool load() { return ok_ && ::seccomp_load(rules_.get()) == 0; }

 private:
  const std::unique_ptr<void, void (*)(void*)> rules_;
  bool ok_;
};

}  // namespace

bool forbid_harm() {
  if (kSanitized) return true;
  Rules rules;
  for (const int call : kForbidden) rules.refuse(call, EPERM);
  for (const int call : kUnseen) rules.refuse(call, ENOSYS);
  rules.refuse(SCMP_SYS(clone), EPERM, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  for (const int writes : {O_WRONLY, O_RDWR}) {
    rules.refuse(SCMP_SYS(open), EPERM, SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, static_cast<scmp_datum_t>(writes)));
    rules.refuse(SCMP_SYS(openat), EPERM, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, static_cast<scmp_datum_t>(writes)));
  }
  for (const int makes : {O_CREAT, O_TRUNC}) {
    const auto bit = static_cast<scmp_datum_t>(makes);
    rules.refuse(SCMP_SYS(open), EPERM, SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit));
    rules.refuse(SCMP_SYS(openat), EPERM, SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit));
  }
  return rules.load();
}

}  // namespace caravel::sandbox::node
