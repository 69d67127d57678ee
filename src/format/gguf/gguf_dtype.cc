#include "format/gguf/gguf_dtype.h"

#include <fmt/format.h>

#include <string_view>

namespace caravel::format {
namespace {

struct GgmlType {
  uint32_t number;
  std::string_view name;
};

// Numbers that ggml has given out; those that it took back (4, 5, 31-33, 36-38) are not listed.
constexpr GgmlType kGgmlTypes[] = {
    {0, "F32"},      {1, "F16"},     {2, "Q4_0"},     {3, "Q4_1"},   {6, "Q5_0"},    {7, "Q5_1"},   {8, "Q8_0"},
    {9, "Q8_1"},     {10, "Q2_K"},   {11, "Q3_K"},    {12, "Q4_K"},  {13, "Q5_K"},   {14, "Q6_K"},  {15, "Q8_K"},
    {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},
    {23, "IQ4_XS"},  {24, "I8"},     {25, "I16"},     {26, "I32"},   {27, "I64"},    {28, "F64"},   {29, "IQ1_M"},
    {30, "BF16"},    {34, "TQ1_0"},  {35, "TQ2_0"},   {39, "MXFP4"}, {40, "NVFP4"},  {41, "Q1_0"},  {42, "Q2_0"},
};

std::string_view name_of(uint32_t type) {
  for (const GgmlType& known : kGgmlTypes) {
    if (known.number == type) return known.name;
  }
  return {};
}

}  // namespace

std::optional<DType> dtype_of_ggml(uint32_t type) {
  const std::string_view name = name_of(type);
  for (int i = 0; i < kDTypeCount; ++i) {
    if (dtype_info(static_cast<DType>(i)).name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::string ggml_type_name(uint32_t type) {
  const std::string_view name = name_of(type);
  return name.empty() ? fmt::format("number {}", type) : std::string(name);
}

std::string readable_dtypes() {
  std::string names;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (is_float8(dtype)) continue;  // ggml has none
    if (i > 0) names += ", ";
    names += dtype_info(dtype).name;
  }
  return names;
}

}  // namespace caravel::format
