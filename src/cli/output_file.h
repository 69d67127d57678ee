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
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Cuts the file behind its first bytes, where it can be; before the first write().
  void keep(size_t bytes);
  /// Appends. Throws IoError (a full disk, for instance), after taking back what part was written to a file. A closed
  /// pipe ends the program silently, as `| head` expects.
  void write(std::string_view lines);

 private:
  std::string name_;
  int fd_;
};

/// The file (or what a link of that name leads to) holds `content` and nothing else, with the permissions that it had:
/// `content` is written beside it and put in its place, so that a reader, also after a crash, finds the old
/// file or the new one. Throws IoError; the old file is there then.
void replace_file(const std::string& path, std::string_view content);

}  // namespace caravel::cli
