"""Engine `cuda`: fused kernels for GPUs, one thread for each site and member."""
