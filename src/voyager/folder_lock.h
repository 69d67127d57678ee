#pragma once

#include <string>

namespace caravel::voyager {

/// Holds a folder for this process alone, as long as it lives; a process that is killed lets go. It leaves no file.
class FolderLock {
 public:
  /// Waits two seconds. Throws InvalidArgument where another process holds it; IoError.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace caravel::voyager
