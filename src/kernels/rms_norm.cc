#include "kernels/rms_norm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void rms_norm(Stream& stream, const RmsNormArgs& args);
void add_norm(Stream& stream, const AddNormArgs& args);
}  // namespace cpu

void rms_norm(Stream& stream, const RmsNormArgs& args) { by_device(stream.device(), cpu::rms_norm)(stream, args); }

void add_norm(Stream& stream, const AddNormArgs& args) { by_device(stream.device(), cpu::add_norm)(stream, args); }

}  // namespace caravel::kernels
