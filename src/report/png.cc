#include "report/png.h"

#include <png.h>

#include "base/error.h"

namespace caravel::report {
namespace {

constexpr int kMostPixels = 16'384;  // either way: what browsers still show

}  // namespace

std::string png(int width, int height, std::span<const uint8_t> rgb) {
  if (width < 1 || height < 1 || width > kMostPixels || height > kMostPixels) {
    throw fail<InvalidArgument>("a picture of {} x {} pixels cannot be written: 1 to {} either way", width, height,
                                kMostPixels);
  }
  const size_t wanted = size_t{3} * static_cast<size_t>(width) * static_cast<size_t>(height);
  if (rgb.size() != wanted) {
    throw fail<InvalidArgument>("a picture of {} x {} pixels has {} bytes, not {}", width, height, wanted, rgb.size());
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, rgb.data(), 0, nullptr) == 0) {
    throw fail<InvalidArgument>("a picture of {} x {} pixels cannot be written: {}", width, height, image.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace caravel::report
