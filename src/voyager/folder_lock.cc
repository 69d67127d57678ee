#include "voyager/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/clock.h"
#include "base/error.h"

namespace caravel::voyager {

FolderLock::FolderLock(const std::string& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw fail<IoError>("{}: cannot open the folder: {}", folder, std::strerror(errno));
  // A process that was killed while it started another, for code, is followed by that one for a moment.
  constexpr auto kPatience = std::chrono::seconds(2);
  constexpr auto kPause = std::chrono::milliseconds(20);
  const Clock::time_point end = Clock::now() + kPatience;
  int error = 0;
  do {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    error = errno;
    if (error == EWOULDBLOCK) std::this_thread::sleep_for(kPause);
  } while (error == EWOULDBLOCK && Clock::now() < end);
  ::close(descriptor_);
  if (error == EWOULDBLOCK)
    throw fail<InvalidArgument>("{}: another voyage writes to this folder: wait for it, or name another", folder);
  throw fail<IoError>("{}: cannot lock the folder: {}", folder, std::strerror(error));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace caravel::voyager
