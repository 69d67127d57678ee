#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "caravel/error.h"

namespace caravel::cli {

/// Where results go: a file that is appended to line by line, or stdout. A line is written whole or the write throws;
/// what was written before is kept.
class OutputFile {
 public:
  /// path empty or "-": stdout. Otherwise the file is made where there is none, and nobody else's meanwhile. Throws
  /// IoError, also where another run writes to it.
  explicit OutputFile(const std::string& path);
  /// A file that it made, and that nothing was written to, is gone again.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// A file that has a name and an end: no pipe, no device, not stdout.
  bool is_file() const { return is_file_; }
  /// Cuts the file behind its first bytes, where it is one; before the first write(). Throws IoError.
  void keep(size_t bytes);
  /// Appends. Throws IoError (a full disk, for instance), after taking back what part was written to a file, and as
  /// check_in_place() does. A closed pipe ends the program silently, as `| head` expects.
  void write(std::string_view lines);
  /// The same, but false where the reader of a pipe has closed it.
  bool try_write(std::string_view lines);
  /// Throws IoError where somebody has deleted or renamed the file, so that nobody would find what is written to it, or
  /// has cut it, so that zeros would stand before that.
  void check_in_place() const;

 private:
  std::string name_;
  int fd_;
  bool is_ours_ = false;  // the descriptor: opened here
  bool is_file_ = false;
  bool is_unused_ = false;  // made here, and nothing was written to it
};

/// A file in the folder of the one whose place it is to take (of a link: in that of what it leads to), of a name that
/// no other has, with the permissions of the old one. A reader, also after a crash, finds the old file or the new one
/// (but not of a file that is a mount of its own, which is written over).
/// Gone with this object, unless it took the place.
class FileBeside {
 public:
  /// Where a link has the name: what it leads to is replaced, or it itself.
  enum class Links : uint8_t { kFollowed, kReplaced };
  /// path: no device. Throws IoError, as the others do, where the place cannot be taken.
  explicit FileBeside(const std::string& path, Links links = Links::kFollowed);
  ~FileBeside();
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;

  /// Appends.
  void write(std::string_view content);
  void take_place();

 private:
  IoError problem() const;
  void remove();

  const std::string path_;  // as it was given
  std::filesystem::path target_;
  std::string name_;
  bool is_new_ = false;
  int fd_ = -1;
};

/// The file holds `content` and nothing else, by a FileBeside. Standard output ("-"), a pipe or a device is written to.
/// Throws IoError; the old file is there then.
void replace_file(const std::string& path, std::string_view content);

/// Throws IoError where replace_file() surely would: to be told before the content takes hours to make.
void check_replaceable(const std::string& path);

/// Whether something is in the file already. Throws InvalidArgument where that begins like none of `beginnings` (a file
/// that is shorter than one: like as much of it): it is somebody else's, a model's for instance, and to be kept.
/// what: they hold, as in "embeddings".
bool holds_own(const std::string& path, std::initializer_list<std::string_view> beginnings, std::string_view what);

}  // namespace caravel::cli
