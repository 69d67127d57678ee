#include "voyager/map_picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <limits>

#include "caravel/error.h"

namespace caravel::voyager {
namespace {

struct Decoded {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;

  std::vector<int> at(int x, int y) const {
    const auto first = rgb.begin() + 3 * (y * width + x);
    return {first, first + 3};
  }
};

Decoded decoded(const std::string& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  Decoded out{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  out.rgb.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, out.rgb.data(), 0, nullptr), 0) << image.message;
  return out;
}

/// 60 x 40 blocks from (-10, -20) on, two for a pixel; the second row's first pixel is another.
MapImage map_of_pixels() {
  MapImage map{.width = 30, .height = 20, .rgb = std::vector<uint8_t>(3 * 30 * 20, 100), .left = -10, .top = -20};
  map.blocks_per_pixel = 2;
  map.rgb[3 * 30] = 7;
  return map;
}

TEST(MapPicture, EnlargesASmallMap) {
  const Decoded picture = decoded(map_picture(map_of_pixels(), {}));
  ASSERT_EQ(std::pair(picture.width, picture.height), std::pair(480, 320)) << "16 for one";
  EXPECT_EQ(picture.at(15, 15), std::vector({100, 100, 100}));
  EXPECT_EQ(picture.at(0, 16), std::vector({7, 100, 100}));
  EXPECT_EQ(picture.at(15, 31), std::vector({7, 100, 100}));
  EXPECT_EQ(picture.at(16, 31), std::vector({100, 100, 100}));
}

TEST(MapPicture, DrawsTheWayFromStartToEnd) {
  // 8 pixels a block: (0, 0) lies at (80, 160), (30, 0) at (320, 160).
  const Decoded picture = decoded(map_picture(map_of_pixels(), {{0, 64, 0}, {15, 64, 0}, {30, 64, 0}}));
  EXPECT_EQ(picture.at(80, 160), std::vector({255, 255, 255}));
  EXPECT_EQ(picture.at(320, 160), std::vector({216, 24, 40}));
  EXPECT_EQ(picture.at(140, 160), std::vector({255, 224, 64}));
  EXPECT_NE(picture.at(260, 160), picture.at(140, 160)) << "later is redder";
  EXPECT_EQ(picture.at(140, 163), std::vector({24, 20, 16})) << "an outline";
  EXPECT_EQ(picture.at(140, 170), std::vector({100, 100, 100}));
}

TEST(MapPicture, PositionsOffTheMapStayAtItsEdge) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Decoded picture = decoded(map_picture(map_of_pixels(), {{-1e300, 0, 0}, {nan, 0, 0}, {1e300, 0, 1e9}}));
  EXPECT_EQ(picture.at(0, 160), std::vector({255, 255, 255}));
  EXPECT_EQ(picture.at(479, 319), std::vector({216, 24, 40}));
}

TEST(MapPicture, OfNothingIsRefused) { EXPECT_THROW(map_picture({}, {}), InvalidArgument); }

}  // namespace
}  // namespace caravel::voyager
