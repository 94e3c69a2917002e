"""The precision of the sketches that count distinct values."""

# The standard error of HyperLogLog with 2^14 registers is 0.8%.
REGISTERS = 14
ESTIMATE_ERROR = 0.01
