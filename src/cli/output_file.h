#pragma once

#include <string>
#include <string_view>

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
  /// Throws IoError where somebody has deleted or renamed the file, so that nobody would find what is written to it.
  void check_in_place() const;

 private:
  std::string name_;
  int fd_;
  bool is_ours_ = false;  // the descriptor: opened here
  bool is_file_ = false;
  bool is_unused_ = false;  // made here, and nothing was written to it
};

/// The file (or what a link of that name leads to) holds `content` and nothing else, with the permissions that it had:
/// `content` is written beside it and put in its place, so that a reader, also after a crash, finds the old file or the
/// new one. A pipe or a device is written to. Throws IoError; the old file is there then.
void replace_file(const std::string& path, std::string_view content);

/// Throws IoError where replace_file() surely would: to be told before the content takes hours to make.
void check_replaceable(const std::string& path);

}  // namespace caravel::cli
