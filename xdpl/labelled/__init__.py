"""Between datasets and arrays: what is found where, in which units, on which sites."""
