#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device/dtype.h"

namespace caravel::format {

/// The element type that ggml numbers `type`; none where Caravel does not read it.
std::optional<DType> dtype_of_ggml(uint32_t type);

/// ggml's own name of it, "IQ4_XS"; "number 77" where it is not known either.
std::string ggml_type_name(uint32_t type);

/// "F32, F16, BF16, Q4_0, ..." for messages.
std::string readable_dtypes();

}  // namespace caravel::format
