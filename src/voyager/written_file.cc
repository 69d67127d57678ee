#include "voyager/written_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace caravel::voyager {

void write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw fail<IoError>("{}: cannot write: {}", path, std::strerror(errno));
}

void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw fail<IoError>("{}: cannot make the folder: {}", path, error.message());
}

}  // namespace caravel::voyager
