#pragma once

#include <string>
#include <vector>

#include "voyager/environment.h"

namespace caravel::voyager {

/// A PNG of the map, each of its pixels several times as large where it is small, with the way from position to
/// position on it: yellow at first and red at last, a white disc where it began and a red one where it ended.
/// map: not empty; throws InvalidArgument (report/png.h). Positions off the map are drawn at its edge.
std::string map_picture(const MapImage& map, const std::vector<Position>& way);

}  // namespace caravel::voyager
