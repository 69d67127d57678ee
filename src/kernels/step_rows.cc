#include "kernels/step_rows.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void write_table_entries(Stream& stream, const TableEntriesArgs& args);
void step_rows(Stream& stream, const StepRowsArgs& args);
}  // namespace cpu

namespace cuda {
void write_table_entries(Stream& stream, const TableEntriesArgs& args);
void step_rows(Stream& stream, const StepRowsArgs& args);
}  // namespace cuda

void write_table_entries(Stream& stream, const TableEntriesArgs& args) {
  by_device(stream.device(), cpu::write_table_entries, CARAVEL_IF_CUDA(cuda::write_table_entries))(stream, args);
}

void step_rows(Stream& stream, const StepRowsArgs& args) {
  by_device(stream.device(), cpu::step_rows, CARAVEL_IF_CUDA(cuda::step_rows))(stream, args);
}

}  // namespace caravel::kernels
