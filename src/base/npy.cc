#include "base/npy.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/numbers.h"

namespace caravel {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

/// What follows `key` in the header's dictionary, without spaces.
std::string_view entry(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(": "), rest.size()));
  return rest;
}

/// "(3, 384), ..."
std::optional<std::pair<size_t, size_t>> matrix_shape(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  text = text.substr(1, text.find(')') - 1);
  const size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  const auto rows = parse_number<size_t>(text.substr(0, comma));
  const auto columns = parse_number<size_t>(text.substr(comma + 2));
  if (!rows || !columns) return std::nullopt;
  return std::pair(*rows, *columns);
}

template <class Number>
std::vector<float> numbers(std::string_view bytes, size_t count) {
  static_assert(std::endian::native == std::endian::little);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    Number number;
    std::memcpy(&number, bytes.data() + i * sizeof(Number), sizeof(Number));
    values[i] = static_cast<float>(number);
  }
  return values;
}

}  // namespace

std::string npy_header(size_t rows, size_t columns) {
  constexpr size_t kAlignment = 64;  // of the numbers, so that the file can be mapped
  std::string header = std::string(kMagic) + std::string("\x01\x00", 2);
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  const size_t unpadded = header.size() + 2 + text.size() + 1;  // with the length's two bytes, and a line break
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

NpyMatrix read_npy(const std::string& path) {
  const std::string content = read_file(path);
  const std::string_view bytes = content;
  const auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<unsigned char>(bytes[at])); };
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) {
    throw fail<FormatError>("{}: is no .npy file: numpy.save makes one", path);
  }
  // Version 1 has the header's length in two bytes, later ones in four.
  const size_t length_bytes = byte(6) == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) length |= byte(8 + i) << (8 * i);
  const size_t begin = 8 + length_bytes + length;
  if (begin > bytes.size()) {
    throw fail<FormatError>("{}: its header takes {} bytes, and the file has {}: it was cut off", path, begin,
                            bytes.size());
  }
  const std::string_view header = bytes.substr(8 + length_bytes, length);
  const std::string_view type = entry(header, "'descr'");
  const size_t size = type.starts_with("'<f4'") ? sizeof(float) : type.starts_with("'<f8'") ? sizeof(double) : 0;
  const auto shape = matrix_shape(entry(header, "'shape'"));
  if (size == 0 || !shape || !entry(header, "'fortran_order'").starts_with("False")) {
    throw fail<FormatError>(
        "{}: is wanted as a matrix of float32 or float64, row after row, and says of itself {}: save "
        "numpy.ascontiguousarray(a, dtype=\"float32\")",
        path, header.substr(0, std::min<size_t>(header.find_last_not_of(" \n") + 1, 200)));
  }
  NpyMatrix matrix{.rows = shape->first, .columns = shape->second, .values = {}};
  const size_t left = (bytes.size() - begin) / size;
  if (matrix.columns != 0 && matrix.rows > left / matrix.columns) {
    throw fail<FormatError>("{}: {} rows of {} numbers are more than the {} that the file has: it was cut off", path,
                            matrix.rows, matrix.columns, left);
  }
  const size_t count = matrix.rows * matrix.columns;
  matrix.values =
      size == sizeof(float) ? numbers<float>(bytes.substr(begin), count) : numbers<double>(bytes.substr(begin), count);
  return matrix;
}

}  // namespace caravel
