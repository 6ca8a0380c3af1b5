"""Engine `numba`: fused kernels for CPUs."""
