"""What may be brought, for whoever asks for it. Importing it does not load torch."""

ENDINGS = (".zip", ".safetensors", ".parquet", ".pth", ".pt", ".ckpt", ".npz", ".hdf5", ".h5")
MOST_ROWS = 5_000  # networks of a zoo that is brought: a map of them takes a minute
