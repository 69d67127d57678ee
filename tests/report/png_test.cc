#include "report/png.h"

#include <gmock/gmock.h>
#include <png.h>

#include <vector>

#include "caravel/error.h"

namespace caravel::report {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> noise(int width, int height) {
  std::vector<uint8_t> rgb;
  for (uint32_t i = 0, x = 1; i < static_cast<uint32_t>(3 * width * height); ++i) {
    x = x * 1664525 + 1013904223;
    rgb.push_back(static_cast<uint8_t>(x >> 24));
  }
  return rgb;
}

std::vector<uint8_t> decoded(const std::string& file, int width, int height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0) << image.message;
  EXPECT_EQ(image.width, static_cast<png_uint_32>(width));
  EXPECT_EQ(image.height, static_cast<png_uint_32>(height));
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> rgb(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr), 0) << image.message;
  return rgb;
}

TEST(Png, ComesBackAsItWas) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {1, 300}, {640, 480}}) {
    const std::vector<uint8_t> rgb = noise(width, height);  // which no compression makes smaller
    EXPECT_EQ(decoded(png(width, height, rgb), width, height), rgb) << width << " x " << height;
  }
}

TEST(Png, HasTheSameBytes) {
  const std::vector<uint8_t> rgb = noise(64, 64);
  EXPECT_EQ(png(64, 64, rgb), png(64, 64, rgb));
}

std::string refusal(int width, int height, size_t bytes) {
  try {
    png(width, height, std::vector<uint8_t>(bytes));
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "taken";
}

TEST(Png, SaysWhatItDoesNotTake) {
  EXPECT_THAT(refusal(0, 5, 0), HasSubstr("0 x 5 pixels"));
  EXPECT_THAT(refusal(-1, -1, 3), HasSubstr("-1 x -1"));
  EXPECT_THAT(refusal(16'385, 1, 49'155), HasSubstr("16385 x 1"));
  EXPECT_THAT(refusal(2, 2, 11), HasSubstr("has 12 bytes, not 11"));
}

}  // namespace
}  // namespace caravel::report
