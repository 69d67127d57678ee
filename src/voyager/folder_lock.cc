#include "voyager/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace caravel::voyager {

FolderLock::FolderLock(const std::string& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw fail<IoError>("{}: cannot open the folder: {}", folder, std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  if (error == EWOULDBLOCK)
    throw fail<InvalidArgument>("{}: another voyage writes to this folder: wait for it, or name another", folder);
  throw fail<IoError>("{}: cannot lock the folder: {}", folder, std::strerror(error));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace caravel::voyager
