"""Runs on the machines of a Dask cluster, an optional extra.

An `Order` (settings, hashes of the data, files to resume from) goes to a worker, a `Parcel` (the run's files, or why
there are none) comes back. Both are bytes, encoded by msgspec: netlearn asks Dask to pickle nothing but bytes and the
names of the functions in `netlearn.cluster.node`. A parcel is read as any stranger's folder is before it is stored.
"""
